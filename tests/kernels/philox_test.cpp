// The generator against the known answers of its authors' distribution (Random123), and the uniform
// numbers made of it.
#include "kernels/philox.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace troupe {

namespace {

using words = std::array<std::uint32_t, 4>;

TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, MakesUniformNumbersBelowOneWithTheRightMeanAndVariance) {
  constexpr int n = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double u = uniform_at(7, static_cast<std::uint32_t>(i));
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
  }
  const double mean = sum / n;
  EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(squares / n - mean * mean, 1.0 / 12, 0.002);
}

TEST(Philox, UsesEveryBitOfTheSeed) {
  EXPECT_NE(uniform_at(0, 0), uniform_at(std::uint64_t{1} << 63, 0));
  EXPECT_NE(uniform_at(0, 0), uniform_at(1, 0));
}

} // namespace

} // namespace troupe
