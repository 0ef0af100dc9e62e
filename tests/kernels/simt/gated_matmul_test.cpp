// Hopper's gated product, interpreted, against the sum written out: every width of tile, rows and
// outputs that fill none, more tiles than pairs of blocks.
#include "kernels/cuda/gated_matmul.hpp"
#include "kernels/cuda/gated_matmul_plan.hpp"
#include "tests/kernels/device.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

using cuda::gated_matmul;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

struct product {
  std::int64_t rows = 0;
  std::int64_t outputs = 0;
  std::int64_t inner = 0;
  bool biased = false;
  dtype type = dtype::bf16;
};

reference::doubles want(const product& of, const typed_values& x, const typed_values& weight,
                        const std::vector<float>& bias) {
  const std::size_t outputs = size(of.outputs);
  const auto both =
      reference::matmul(x.values, weight.values, bias, size(of.rows), 2 * outputs, size(of.inner));
  reference::doubles gated;
  for (std::size_t row = 0; row < size(of.rows); ++row)
    for (std::size_t i = 0; i < outputs; ++i)
      gated.push_back(reference::silu(both[row * 2 * outputs + i]) *
                      both[row * 2 * outputs + outputs + i]);
  return gated;
}

void expect_right(const product& of, std::int32_t width) {
  SCOPED_TRACE(fmt::format("{} rows of {}, {} outputs in tiles of {}", of.rows, of.inner,
                           of.outputs, width));
  auto x = as_type(random_floats(size(of.rows * of.inner), 1), of.type);
  auto weight = as_type(random_floats(size(2 * of.outputs * of.inner), 2, 0.2F), of.type);
  auto bias = of.biased ? random_floats(size(2 * of.outputs), 3) : std::vector<float>{};
  auto out = as_type(std::vector<float>(size(of.rows * of.outputs), nan), of.type);
  gated_matmul multiplier(nullptr);
  multiplier.run_in_tiles(width, {out.bytes.data(), of.type, of.rows, of.outputs},
                          {x.bytes.data(), of.type, of.rows, of.inner},
                          {weight.bytes.data(), of.type, 2 * of.outputs, of.inner},
                          {of.biased ? bias.data() : nullptr, dtype::f32, 1, 2 * of.outputs});
  const auto expected = want(of, x, weight, bias);
  const double tolerance = of.type == dtype::f16 ? 1e-3 : 8e-3;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, out.bytes.data() + 2 * i, 2);
    const float got = of.type == dtype::bf16 ? reference::of_bf16(bits) : reference::of_f16(bits);
    ASSERT_NEAR(got, expected[i], tolerance * (1 + std::abs(expected[i]))) << i;
  }
}

TEST(GatedMatmul, GatesInTilesOfEveryWidth) {
  for (const std::int32_t width : cuda::gated_tile_widths) expect_right({140, 144, 200}, width);
}

TEST(GatedMatmul, TakesAnyNumberOfRowsOfItsPair) {
  for (const std::int64_t rows : {1, 64, 65, 128, 129, 192, 193, 255, 256})
    expect_right({rows, 24, 72}, 64);
}

TEST(GatedMatmul, WrapsItsRingOfStagesManyTimes) { expect_right({130, 16, 3000}, 64); }

TEST(GatedMatmul, StaysForMoreTilesThanThereArePairsOfBlocks) {
  expect_right({129, 20 * 64 + 8, 64}, 64); // a step each, fewer than there are stages
  expect_right({129, 17 * 96 + 16, 192}, 96);
}

TEST(GatedMatmul, AddsABiasToGatesAndUps) { expect_right({131, 144, 136, true}, 112); }

TEST(GatedMatmul, MultipliesF16) { expect_right({150, 72, 136, true, dtype::f16}, 128); }

TEST(GatedMatmul, GivesARowTheSameWhateverItsCompany) {
  const std::int64_t inner = 136, outputs = 24;
  auto x = as_type(random_floats(size(256 * inner), 1), dtype::bf16);
  auto weight = as_type(random_floats(size(2 * outputs * inner), 2), dtype::bf16);
  gated_matmul multiplier(nullptr);
  const auto first_of = [&](std::int64_t rows) {
    auto out = as_type(std::vector<float>(size(rows * outputs), nan), dtype::bf16);
    multiplier.run_in_tiles(64, {out.bytes.data(), dtype::bf16, rows, outputs},
                            {x.bytes.data(), dtype::bf16, rows, inner},
                            {weight.bytes.data(), dtype::bf16, 2 * outputs, inner}, {});
    return std::vector<std::byte>(out.bytes.begin(), out.bytes.begin() + 129 * 2 * outputs);
  };
  EXPECT_EQ(first_of(129), first_of(256));
}

TEST(GatedMatmul, RefusesWhatItHasNoKernelFor) {
  EXPECT_THROW(expect_right({257, 16, 64}, 64), std::invalid_argument);
  EXPECT_THROW(expect_right({129, 12, 64}, 64), std::invalid_argument);
  EXPECT_THROW(expect_right({129, 16, 68}, 64), std::invalid_argument);
  EXPECT_THROW(expect_right({129, 16, 64}, 80), std::invalid_argument);
}

TEST(GatedMatmul, IsCutSoThatFewPairsAreIdleAtTheEnd) {
  constexpr std::int32_t pairs = 66;                     // of an H200
  EXPECT_EQ(cuda::choose_gated_tile(14336, pairs), 112); // 128 tiles
  EXPECT_EQ(cuda::choose_gated_tile(8192, pairs), 128);  // 64 tiles
  EXPECT_EQ(cuda::choose_gated_tile(4096, pairs), 64);   // 64 tiles
}

} // namespace

} // namespace troupe
