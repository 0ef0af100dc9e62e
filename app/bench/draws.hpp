// Random numbers for plans: each purpose draws from a stream of its own that depends on the seed
// alone, so that a change of one (say, of the arrivals) leaves all others as they were.
#pragma once

#include <array>
#include <cstdint>

namespace troupe {

class draws {
 public:
  /// `purpose` and `number` tell streams of one seed apart.
  draws(std::uint64_t seed, std::uint32_t purpose, std::uint64_t number = 0);

  std::uint32_t word();
  /// In (0, 1).
  double uniform();
  /// A whole number below `limit` > 0.
  std::uint32_t below(std::uint32_t limit);
  /// Each whole number from `lowest` to `highest` with the same probability.
  std::uint64_t between(std::uint64_t lowest, std::uint64_t highest);
  double normal();
  /// Gamma with this shape > 0 and scale 1: its mean is the shape. Marsaglia and Tsang, "A simple
  /// method for generating gamma variables", ACM TOMS 26 (2000).
  double gamma(double shape);

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> words_{};
  std::size_t left_ = 0;
};

} // namespace troupe
