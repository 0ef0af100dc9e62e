// Arithmetic on sizes that a file claims. A wrapped product would pass every later check, so each
// result is asked for and says whether it could be represented.
#pragma once

#include <cstdint>
#include <optional>

namespace troupe {

/// a * b, or nothing where 64 bits do not hold it.
inline std::optional<std::uint64_t> checked_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t out = 0;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// a + b, or nothing where 64 bits do not hold it.
inline std::optional<std::uint64_t> checked_sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t out = 0;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

} // namespace troupe
