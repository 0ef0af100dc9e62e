// Random numbers that are the same everywhere, which those of <random>'s distributions are not:
// SplitMix64 (Steele, Lea and Flood, 2014).
#pragma once

#include <cstdint>

namespace troupe {

/// A good hash of 64 bits: SplitMix64's finaliser.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

class random_source {
 public:
  explicit random_source(std::uint64_t seed) : state_{mix(seed)} {}

  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15U); }
  /// 0 <= result < bound; bound >= 1.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((next() >> 32) * bound >> 32);
  }
  /// Both ends included.
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + below(high - low + 1);
  }
  bool one_in(std::uint32_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

} // namespace troupe
