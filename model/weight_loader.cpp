// Tensors pass through host memory one stack at a time: the peak is the largest stack, not the
// model.
#include "model/weight_loader.hpp"

#include "model/finite.hpp"
#include "model/model_error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace troupe {

weight_loader::weight_loader(const safetensors& files, backend& device,
                             const load_progress& progress)
    : files_(files), device_(device), progress_(progress) {}

std::vector<std::byte> weight_loader::read(const std::string& name,
                                           std::span<const std::int64_t> shape, dtype& type) {
  const stored_tensor& tensor = files_.find(name);
  if (!std::ranges::equal(tensor.shape, shape))
    throw model_error(fmt::format("{}: tensor {} has the shape [{}], config.json needs [{}]",
                                  files_.folder().string(), name, fmt::join(tensor.shape, ", "),
                                  fmt::join(shape, ", ")));
  std::vector<std::byte> out(tensor.bytes);
  files_.read(tensor, out);
  if (!all_finite(out, tensor.type))
    throw model_error(
        fmt::format("{}: tensor {} holds NaN or an infinity", files_.folder().string(), name));
  type = tensor.type;
  return out;
}

void weight_loader::report(std::string_view name, std::uint64_t bytes) {
  done_ += bytes;
  if (progress_) progress_(name, done_, files_.bytes());
}

device_weight weight_loader::stacked(const std::vector<weight_part>& parts, std::int64_t cols) {
  std::vector<std::vector<std::byte>> data;
  std::vector<host_matrix> views;
  std::uint64_t bytes = 0;
  for (const weight_part& part : parts) {
    host_matrix view{.rows = part.rows, .cols = cols};
    data.push_back(read(part.name, std::array{part.rows, cols}, view.type));
    view.data = data.back().data();
    if (!views.empty() && view.type != views.front().type)
      throw model_error(fmt::format("{}: tensors {} and {} must have one dtype",
                                    files_.folder().string(), parts.front().name, part.name));
    views.push_back(view);
    bytes += data.back().size();
  }
  auto [view, owner] = device_.load_weight(views);
  report(parts.front().name, bytes);
  return {view, std::move(owner)};
}

device_weight weight_loader::norm(const std::string& name, std::int64_t size) {
  host_matrix view{.rows = 1, .cols = size};
  const auto data = read(name, std::array{size}, view.type);
  if (all_zero(data, view.type))
    throw model_error(fmt::format("{}: tensor {} is all zero: a norm's weight cannot be",
                                  files_.folder().string(), name));
  view.data = data.data();
  auto [out, owner] = device_.load_vector(view);
  report(name, data.size());
  return {out, std::move(owner)};
}

device_weight weight_loader::bias(const std::vector<weight_part>& parts) {
  host_matrix all{.rows = 1};
  std::vector<std::byte> data;
  for (const weight_part& part : parts) {
    dtype type{};
    const auto one = read(part.name, std::array{part.rows}, type);
    if (!data.empty() && type != all.type)
      throw model_error(fmt::format("{}: tensors {} and {} must have one dtype",
                                    files_.folder().string(), parts.front().name, part.name));
    all.type = type;
    all.cols += part.rows;
    data.insert(data.end(), one.begin(), one.end());
  }
  all.data = data.data();
  auto [out, owner] = device_.load_vector(all);
  report(parts.front().name, data.size());
  return {out, std::move(owner)};
}

} // namespace troupe
