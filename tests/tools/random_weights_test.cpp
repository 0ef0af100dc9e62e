// The numbers that weights are made of: their distribution, and that they depend on their place
// alone.
#include "model/finite.hpp"
#include "tools/make_model/random_weights.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <set>

namespace troupe {
namespace {

std::vector<std::byte> filled(const random_weights& source, const parameter& which,
                              std::uint64_t first, std::size_t count) {
  std::vector<std::byte> out(count * size_of(source.type()));
  source.fill(out, which, first);
  return out;
}

std::vector<float> as_floats(const std::vector<std::byte>& bytes) {
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

float of_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

float of_f16(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const double mantissa = (bits & 1023) + (exponent > 0 ? 1024 : 0);
  const double value = std::ldexp(mantissa, std::max(exponent, 1) - 25);
  return static_cast<float>((bits & 0x8000) != 0 ? -value : value);
}

TEST(RandomWeights, HaveTheMeanAndTheDeviationThatWereAsked) {
  const parameter which{"w", {1000, 1000}, 3.0, 0.25};
  const auto values = as_floats(filled({1, dtype::f32}, which, 0, 1'000'000));
  double sum = 0;
  double squares = 0;
  double beyond_two = 0;
  for (const float v : values) {
    sum += v - 3.0;
    squares += (v - 3.0) * (v - 3.0);
    beyond_two += std::fabs(v - 3.0) > 0.5 ? 1 : 0;
  }
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(sum / n, 0, 0.001);
  EXPECT_NEAR(std::sqrt(squares / n), 0.25, 0.001);
  EXPECT_NEAR(beyond_two / n, 0.0455, 0.001); // of a normal distribution
}

TEST(RandomWeights, OfNeighboursAreUncorrelated) {
  const auto values = as_floats(filled({1, dtype::f32}, {"w", {1'000'000}, 0, 1}, 0, 1'000'000));
  for (const std::size_t apart : {1, 2, 3, 4, 1024}) {
    double sum = 0;
    for (std::size_t i = 0; i + apart < values.size(); ++i)
      sum += static_cast<double>(values[i]) * values[i + apart];
    EXPECT_NEAR(sum / static_cast<double>(values.size()), 0, 0.005) << apart;
  }
}

TEST(RandomWeights, AreTheSameInWhateverPartsTheyAreFilled) {
  const parameter which{"w", {1003}, 0, 1};
  for (const dtype type : {dtype::f32, dtype::f16, dtype::bf16}) {
    const random_weights source(7, type);
    const auto whole = filled(source, which, 0, 1003);
    std::vector<std::byte> parts;
    for (const auto& [first, count] : {std::pair{0U, 4U}, {4U, 500U}, {504U, 496U}, {1000U, 3U}}) {
      const auto part = filled(source, which, first, count);
      parts.insert(parts.end(), part.begin(), part.end());
    }
    EXPECT_EQ(parts, whole);
  }
}

TEST(RandomWeights, DependOnTheSeedAndOnTheTensor) {
  const parameter which{"w", {100}, 0, 1};
  std::set<std::vector<float>> different;
  for (const std::uint64_t seed : {0U, 1U, 2U})
    for (const char* name : {"a", "b"})
      different.insert(as_floats(filled({seed, dtype::f32}, {name, {100}, 0, 1}, 0, 100)));
  EXPECT_EQ(different.size(), 6U);
}

TEST(RandomWeights, AreRoundedToTheNearestOfTheType) {
  for (const double value : {0.0, 1.0, -1.0, 0.1, -0.3333, 1.0009765625, 2.2e-6, 6.0e-8, 2.9e-8,
                             6.1e-5, 0.99999, 1234.5}) {
    const float half = of_f16(to_f16(value));
    const float ulp =
        std::max(std::ldexp(1.0F, -24),
                 std::ldexp(1.0F, std::ilogb(std::max(std::fabs(value), 1e-30)) - 10));
    EXPECT_LE(std::fabs(half - value), ulp / 2) << value;
    EXPECT_LE(std::fabs(of_bf16(to_bf16(value)) - value), std::fabs(value) / 256) << value;
  }
  EXPECT_EQ(to_f16(1.0), 0x3C00);
  EXPECT_EQ(to_f16(2047.9), 0x6800);      // carries into the exponent
  EXPECT_EQ(to_bf16(1.00390625), 0x3F80); // a tie goes to the even one
  EXPECT_EQ(to_bf16(1.01171875), 0x3F82);
}

} // namespace
} // namespace troupe
