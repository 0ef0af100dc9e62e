// Random data on a device and the median of times: what the benchmarks of the CUDA backend share.
#pragma once

#include "kernels/ops.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace troupe {

constexpr std::int64_t cache_bytes = 256 << 20; // more than any device's cache

/// Device memory that holds random numbers; the upload is issued, not awaited.
class filled {
 public:
  filled(backend& device, std::int64_t rows, std::int64_t cols, dtype type = dtype::bf16)
      : memory_(device.allocate(static_cast<std::size_t>(rows * cols) * size_of(type))),
        view_{memory_.get(), type, rows, cols} {
    static const std::vector<std::uint32_t> words = random_words(std::size_t{4} << 20);
    const std::size_t bytes = static_cast<std::size_t>(rows * cols) * size_of(type);
    for (std::size_t at = 0; at < bytes; at += 4 * words.size())
      device.upload(memory_.get() + at, words.data(), std::min(bytes - at, 4 * words.size()));
  }
  const matrix& view() const { return view_; }

 private:
  /// Pairs of bf16 numbers of either sign, between 1/16 and 2.
  static std::vector<std::uint32_t> random_words(std::size_t count) {
    std::mt19937 random(1);
    std::vector<std::uint32_t> words(count);
    for (auto& word : words) word = (random() & 0x81FF81FFU) | 0x3E003E00U;
    return words;
  }

  memory memory_;
  matrix view_;
};

/// The median of what `sample` returns when it is called several times.
template <class Sample>
double median_of(const Sample& sample) {
  std::array<double, 7> taken{};
  for (double& each : taken) each = sample();
  std::ranges::nth_element(taken, taken.begin() + taken.size() / 2);
  return taken[taken.size() / 2];
}

} // namespace troupe
