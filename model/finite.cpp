// Both questions are about bits: an exponent of all ones is NaN or infinite, no bit below the sign
// is zero. Accumulated without a branch, so that the compiler makes it SIMD: every byte of a model
// passes here while it is loaded.
#include "model/finite.hpp"

#include <cstdint>
#include <cstring>

namespace troupe {

namespace {

template <class Bits>
bool any_with_exponent(std::span<const std::byte> elements, Bits exponent) {
  const std::size_t n = elements.size() / sizeof(Bits);
  Bits found = 0;
  for (std::size_t i = 0; i < n; ++i) {
    Bits bits;
    std::memcpy(&bits, elements.data() + i * sizeof(Bits), sizeof(Bits));
    found |= static_cast<Bits>((bits & exponent) == exponent);
  }
  return found != 0;
}

template <class Bits>
bool any_below_sign(std::span<const std::byte> elements) {
  const std::size_t n = elements.size() / sizeof(Bits);
  Bits found = 0;
  for (std::size_t i = 0; i < n; ++i) {
    Bits bits;
    std::memcpy(&bits, elements.data() + i * sizeof(Bits), sizeof(Bits));
    found |= bits;
  }
  return static_cast<Bits>(found << 1) != 0;
}

} // namespace

bool all_finite(std::span<const std::byte> elements, dtype type) {
  if (type == dtype::f32) return !any_with_exponent<std::uint32_t>(elements, 0x7F80'0000U);
  return !any_with_exponent<std::uint16_t>(elements, type == dtype::f16 ? 0x7C00 : 0x7F80);
}

bool all_zero(std::span<const std::byte> elements, dtype type) {
  return type == dtype::f32 ? !any_below_sign<std::uint32_t>(elements)
                            : !any_below_sign<std::uint16_t>(elements);
}

} // namespace troupe
