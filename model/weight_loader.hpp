// Brings one tensor, or several stacked, from the files to the device: looks it up, holds its shape
// against the one that the architecture gives it, refuses numbers that would spoil every answer,
// and reports how far the loading is. The same walk without bringing anything tells what memory it
// will take.
#pragma once

#include "kernels/ops.hpp"
#include "model/safetensors.hpp"

#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace troupe {

/// Called while loading: what is being loaded, and how many of how many bytes are done.
using load_progress =
    std::function<void(std::string_view stage, std::uint64_t done, std::uint64_t total)>;

/// A matrix on the device with the memory behind it. data is null where the model has none.
struct device_weight {
  matrix view;
  memory owner;
};

/// A tensor's name and how many rows it must have.
struct weight_part {
  std::string name;
  std::int64_t rows = 0;
};

/// Whether tensors are brought to the device, or only looked up, checked and counted.
enum class loading_mode { bring, measure };

/// Keeps references to all that it is given.
class weight_loader {
 public:
  weight_loader(const safetensors& files, backend& device, const load_progress& progress,
                loading_mode mode = loading_mode::bring);

  /// The parts, each [rows, cols], stacked. Throws model_error where one is absent, has another
  /// shape, or holds NaN or an infinity.
  device_weight stacked(const std::vector<weight_part>& parts, std::int64_t cols);
  /// A norm's weight [size]; all zero is refused too.
  device_weight norm(const std::string& name, std::int64_t size);
  /// Biases, each [rows], one behind the other.
  device_weight bias(const std::vector<weight_part>& parts);
  /// Bytes that were brought to the device, as the files hold them.
  std::uint64_t bytes() const { return done_; }
  /// Bytes that the device needs for them.
  std::uint64_t device_bytes() const { return device_bytes_; }

 private:
  /// Where a tensor's elements are read from. Throws model_error where it has another shape.
  host_matrix source(const std::string& name, std::span<const std::int64_t> shape) const;
  /// The sources of all parts. Throws model_error where they differ in their types.
  std::vector<host_matrix> sources(const std::vector<weight_part>& parts,
                                   std::span<const std::int64_t> cols) const;
  /// A vector of several behind each other.
  device_weight vector_of(const std::vector<host_matrix>& parts, const std::string& name,
                          bool may_be_zero);
  void report(std::string_view name, std::uint64_t bytes);

  const safetensors& files_;
  backend& device_;
  const load_progress& progress_;
  loading_mode mode_;
  std::uint64_t done_ = 0;
  std::uint64_t device_bytes_ = 0;
};

} // namespace troupe
