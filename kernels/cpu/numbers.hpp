// Single elements of 16-bit types as f32, where a vector would not pay: gathering a row of an
// embedding, loading a norm's weights.
#pragma once

#include "kernels/tensor.hpp"

#include <bit>
#include <cstring>

namespace troupe {

/// The f32 of bfloat16 bits; exact.
inline float from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// The f32 of IEEE half precision bits; exact, subnormals and infinities included.
inline float from_f16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const std::uint32_t exponent = (bits >> 10) & 31;
  const std::uint32_t mantissa = bits & 1023;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

/// Element `index` of an array of `type`.
inline float element(const void* data, dtype type, std::size_t index) {
  if (type == dtype::f32) return static_cast<const float*>(data)[index];
  const std::uint16_t bits = static_cast<const std::uint16_t*>(data)[index];
  return type == dtype::bf16 ? from_bf16(bits) : from_f16(bits);
}

} // namespace troupe
