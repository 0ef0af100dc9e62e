// A text file: the identity, then a line for each shape: rows, outputs, inputs, the two types, and
// the algorithm's words in hexadecimal digits.
#include "kernels/cuda/tuned_products.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <ios>
#include <optional>
#include <sstream>
#include <unistd.h>

namespace troupe::cuda {

namespace {

constexpr std::uintmax_t most_bytes = 4 << 20;
constexpr std::size_t most_lines = 10'000; // of a file that we wrote, by far

std::optional<std::pair<product_shape, tuned_products::algorithm>>
read_line(const std::string& text) {
  std::istringstream in(text);
  product_shape shape;
  int type = 0, out_type = 0;
  in >> shape.rows >> shape.outputs >> shape.inputs >> type >> out_type >> std::hex;
  tuned_products::algorithm words{};
  for (std::uint64_t& word : words) in >> word;
  const auto is_type = [](int n) { return n >= 0 && n <= static_cast<int>(dtype::bf16); };
  if (!in || !in.eof() || !is_type(type) || !is_type(out_type)) return std::nullopt;
  shape.type = static_cast<dtype>(type);
  shape.out_type = static_cast<dtype>(out_type);
  return std::pair{shape, words};
}

} // namespace

tuned_products::tuned_products(std::filesystem::path file, std::string identity)
    : file_(std::move(file)), identity_(std::move(identity)) {
  std::error_code absent;
  if (!std::filesystem::is_regular_file(file_, absent) ||
      std::filesystem::file_size(file_, absent) > most_bytes)
    return;
  std::ifstream in(file_);
  std::string line;
  if (!std::getline(in, line) || line != identity_) return;
  while (std::getline(in, line)) {
    const auto entry = read_line(line);
    if (!entry || all_.size() == most_lines) {
      all_.clear();
      return;
    }
    all_.insert(*entry);
  }
}

const tuned_products::algorithm* tuned_products::find(product_shape shape) const {
  const auto rows = std::ranges::lower_bound(tuned_rows, shape.rows);
  if (rows == tuned_rows.end()) return nullptr;
  shape.rows = *rows;
  const auto found = all_.find(shape);
  return found == all_.end() ? nullptr : &found->second;
}

bool tuned_products::save() const {
  if (file_.empty()) return false;
  std::error_code ignored;
  std::filesystem::create_directories(file_.parent_path(), ignored);
  auto fresh = file_;
  fresh += fmt::format(".{}", ::getpid()); // two programs may start at once
  {
    std::ofstream out(fresh);
    out << identity_ << '\n';
    for (const auto& [shape, words] : all_)
      out << fmt::format("{} {} {} {} {} {:016x}\n", shape.rows, shape.outputs, shape.inputs,
                         static_cast<int>(shape.type), static_cast<int>(shape.out_type),
                         fmt::join(words, " "));
    if (!out.flush()) {
      std::filesystem::remove(fresh, ignored);
      return false;
    }
  }
  std::error_code problem;
  std::filesystem::rename(fresh, file_, problem);
  if (problem) std::filesystem::remove(fresh, ignored);
  return !problem;
}

} // namespace troupe::cuda
