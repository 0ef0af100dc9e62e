// The distributions that plans draw from.
#include "app/bench/draws.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace troupe {
namespace {

struct moments {
  double mean = 0;
  double deviation = 0;
};

template <class Draw>
moments moments_of(Draw draw) {
  constexpr int count = 100'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < count; ++i) {
    const double value = draw();
    sum += value;
    squares += value * value;
  }
  const double mean = sum / count;
  return {mean, std::sqrt(squares / count - mean * mean)};
}

TEST(Draws, AreTheSameForTheSameStreamAndOthersForAnyOther) {
  const auto words = [](std::uint64_t seed, std::uint32_t purpose, std::uint64_t number) {
    draws drawn(seed, purpose, number);
    std::vector<std::uint32_t> out;
    for (int i = 0; i < 9; ++i) out.push_back(drawn.word());
    return out;
  };
  const auto one = words(7, 1, 3);
  EXPECT_EQ(one, words(7, 1, 3));
  EXPECT_NE(one, words(8, 1, 3));
  EXPECT_NE(one, words(7, 2, 3));
  EXPECT_NE(one, words(7, 1, 4));
  EXPECT_NE(one, words(7, 1, 3 + (1ULL << 32)));
}

TEST(Draws, AreUniform) {
  draws drawn(1, 1);
  const moments found = moments_of([&] { return drawn.uniform(); });
  EXPECT_NEAR(found.mean, 0.5, 0.005);
  EXPECT_NEAR(found.deviation, std::sqrt(1.0 / 12), 0.005);
}

TEST(Draws, ReachBothEndsOfARangeAndEachNumberBetween) {
  draws drawn(1, 2);
  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70'000; ++i) ++counts.at(drawn.between(10, 16) - 10);
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);
  EXPECT_EQ(drawn.between(5, 5), 5U);
}

TEST(Draws, OfAGammaDistributionHaveItsMomentsForAnyShape) {
  for (const double shape : {0.25, 0.5, 1.0, 2.0, 9.0}) {
    draws drawn(1, 3);
    double lowest = 1;
    const moments found = moments_of([&] {
      const double value = drawn.gamma(shape);
      lowest = std::min(lowest, value);
      return value;
    });
    EXPECT_GT(lowest, 0) << shape;
    EXPECT_NEAR(found.mean, shape, 0.02 * shape) << shape;
    EXPECT_NEAR(found.deviation, std::sqrt(shape), 0.03 * std::sqrt(shape)) << shape;
  }
}

TEST(Draws, OfAGammaDistributionOfShapeOneAreExponential) {
  draws drawn(1, 4);
  int longer = 0;
  for (int i = 0; i < 100'000; ++i)
    if (drawn.gamma(1) > 2) ++longer;
  EXPECT_NEAR(longer, 100'000 * std::exp(-2.0), 500);
}

} // namespace
} // namespace troupe
