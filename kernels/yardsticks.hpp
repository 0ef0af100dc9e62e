// What a device does at most, measured by the two things that a decoder's step consists of: bytes
// moved and matrices multiplied. Speeds mean something as ratios to these, measured on the same
// device in the same run; data sheets name clocks and powers that a machine may not be given.
#pragma once

#include "kernels/ops.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace troupe {

struct yardsticks {
  double copy_rate = 0;   ///< bytes a second of a copy within the device, read and written together
  double matrix_rate = 0; ///< operations a second of a large product, two for each multiply-add
};

/// How large, and how long. The defaults exceed the caches of any device several times.
struct yardstick_sizes {
  std::size_t copy_bytes = std::size_t{512} << 20; ///< from one buffer to another
  std::int64_t matrix_side = 8192;                 ///< a weight's inputs, and its outputs
  std::int64_t most_rows = 16384;                  ///< rows grow until a product takes `sample`
  std::chrono::milliseconds sample{40};            ///< each time that is taken, at least
  int samples = 7;                                 ///< the median counts
};

/// Seconds since some moment.
double steady_seconds();

/// Weights are of `weight_type`, activations of the device's own; all data is random. `clock` tells
/// the time in seconds. Throws device_error where the device's memory does not hold it.
yardsticks measure_yardsticks(backend& device, dtype weight_type, const yardstick_sizes& sizes = {},
                              const std::function<double()>& clock = steady_seconds);

} // namespace troupe
