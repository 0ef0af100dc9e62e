// A weight is read by the device's own threads, piece by piece, to where it is wanted; its numbers
// are looked at on the way. Vectors are small and pass through memory here.
#include "model/weight_loader.hpp"

#include "model/finite.hpp"
#include "model/model_error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace troupe {

weight_loader::weight_loader(const safetensors& files, backend& device,
                             const load_progress& progress, loading_mode mode)
    : files_(files), device_(device), progress_(progress), mode_(mode) {}

host_matrix weight_loader::source(const std::string& name,
                                  std::span<const std::int64_t> shape) const {
  const stored_tensor& tensor = files_.find(name);
  if (!std::ranges::equal(tensor.shape, shape))
    throw model_error(fmt::format("{}: tensor {} has the shape [{}], config.json needs [{}]",
                                  files_.folder().string(), name, fmt::join(tensor.shape, ", "),
                                  fmt::join(shape, ", ")));
  const auto read = [this, &tensor, name](std::span<std::byte> out, std::uint64_t offset) {
    files_.read(tensor, offset, out);
    if (!all_finite(out, tensor.type))
      throw model_error(
          fmt::format("{}: tensor {} holds NaN or an infinity", files_.folder().string(), name));
  };
  return {nullptr, tensor.type, shape.size() > 1 ? shape[0] : 1, shape.back(), read};
}

std::vector<host_matrix> weight_loader::sources(const std::vector<weight_part>& parts,
                                                std::span<const std::int64_t> cols) const {
  std::vector<host_matrix> out;
  for (const weight_part& part : parts) {
    std::vector<std::int64_t> shape{part.rows};
    shape.insert(shape.end(), cols.begin(), cols.end());
    out.push_back(source(part.name, shape));
    if (out.back().type != out.front().type)
      throw model_error(fmt::format("{}: tensors {} and {} must have one dtype",
                                    files_.folder().string(), parts.front().name, part.name));
  }
  return out;
}

void weight_loader::report(std::string_view name, std::uint64_t bytes) {
  done_ += bytes;
  if (progress_) progress_(name, done_, files_.bytes());
}

device_weight weight_loader::stacked(const std::vector<weight_part>& parts, std::int64_t cols) {
  const auto all = sources(parts, {&cols, 1});
  std::int64_t rows = 0;
  std::uint64_t bytes = 0;
  for (const host_matrix& part : all) {
    rows += part.rows;
    bytes += part.bytes();
  }
  device_bytes_ += device_.weight_bytes(rows, cols, all.front().type);
  if (mode_ == loading_mode::measure) return {};
  auto [view, owner] = device_.load_weight(all);
  report(parts.front().name, bytes);
  return {view, std::move(owner)};
}

device_weight weight_loader::norm(const std::string& name, std::int64_t size) {
  return vector_of(sources({{name, size}}, {}), name, false);
}

device_weight weight_loader::bias(const std::vector<weight_part>& parts) {
  return vector_of(sources(parts, {}), parts.front().name, true);
}

device_weight weight_loader::vector_of(const std::vector<host_matrix>& parts,
                                       const std::string& name, bool may_be_zero) {
  host_matrix all{.type = parts.front().type, .rows = 1};
  for (const host_matrix& part : parts) all.cols += part.cols;
  device_bytes_ += static_cast<std::uint64_t>(all.cols) * sizeof(float);
  if (mode_ == loading_mode::measure) return {};
  std::vector<std::byte> data(all.bytes());
  std::span<std::byte> rest = data;
  for (const host_matrix& part : parts) {
    part.copy_to(rest.first(part.bytes()), 0);
    rest = rest.subspan(part.bytes());
  }
  if (!may_be_zero && all_zero(data, all.type))
    throw model_error(fmt::format("{}: tensor {} is all zero: a norm's weight cannot be",
                                  files_.folder().string(), name));
  all.data = data.data();
  auto [out, owner] = device_.load_vector(all);
  report(name, data.size());
  return {out, std::move(owner)};
}

} // namespace troupe
