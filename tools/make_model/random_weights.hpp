// Random numbers for weights, as a pure function of seed, tensor and place: whichever thread fills
// whichever part, the file has the same bytes, and a model cut down to fewer layers has the same
// weights in those that it keeps. They come as fast as a disk takes them: each is looked up by
// twelve random bits among the middles of 4,096 equally likely slices of the normal distribution,
// which is as fine as the 16-bit types tell apart.
#pragma once

#include "kernels/tensor.hpp"
#include "tools/make_model/parameters.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace troupe {

class random_weights {
 public:
  random_weights(std::uint64_t seed, dtype type);

  dtype type() const { return type_; }

  /// Elements of `which` from number `first`, a multiple of 4, as many as `out` has room for, which
  /// is aligned to their type.
  void fill(std::span<std::byte> out, const parameter& which, std::uint64_t first) const;

 private:
  static constexpr std::size_t slices = 4096;

  template <class Element>
  void fill_as(std::span<Element> out, const parameter& which, std::uint64_t first,
               Element (*round)(double)) const;

  std::uint64_t seed_;
  dtype type_;
  std::array<double, slices> normal_; // ascending, of deviation 1
};

/// The bits of the nearest bfloat16 (ties to even). `value` is finite and in its range.
std::uint16_t to_bf16(double value);
/// The bits of the nearest IEEE half (ties to even), subnormals included; |value| < 65504.
std::uint16_t to_f16(double value);

} // namespace troupe
