// matmul, gated_matmul and embed, and the loading of weights that they share.
#include "tests/kernels/device.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

class matmul_test : public device_test {
 protected:
  void check_gated(std::int64_t rows, std::int64_t width, std::int64_t k, bool with_bias);
  void check(std::int64_t rows, std::int64_t n, std::int64_t least_k, dtype type, bool with_bias) {
    const std::int64_t k = fitting(least_k);
    SCOPED_TRACE(fmt::format("rows {} n {} k {} type {} bias {}", rows, n, k,
                             static_cast<int>(type), with_bias));
    const device_matrix x(*device_, rows, k, random_floats(static_cast<std::size_t>(rows * k), 1));
    const auto weight =
        load_weight(*device_, random_floats(static_cast<std::size_t>(n * k), 2), n, k, type);
    device_weight bias;
    if (with_bias) bias = load_vector(*device_, random_floats(static_cast<std::size_t>(n), 3));
    const device_matrix out(*device_, rows, n);
    device_->matmul(out.view(), x.view(), weight.view, bias.view);
    expect_close(out.read(),
                 reference::matmul(x.values(), weight.values, bias.values,
                                   static_cast<std::size_t>(rows), static_cast<std::size_t>(n),
                                   static_cast<std::size_t>(k)),
                 tolerance(*device_), std::sqrt(static_cast<double>(k)));
  }
};

void matmul_test::check_gated(std::int64_t rows, std::int64_t width, std::int64_t k,
                              bool with_bias) {
  SCOPED_TRACE(fmt::format("rows {} width {} k {} bias {}", rows, width, k, with_bias));
  const auto sizes = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const device_matrix x(*device_, rows, k, random_floats(sizes(rows * k), 1));
  const float spread = 2 / std::sqrt(static_cast<float>(k));
  const auto weight = load_weight(*device_, random_floats(sizes(2 * width * k), 2, spread),
                                  2 * width, k, dtype::bf16);
  device_weight bias;
  if (with_bias) bias = load_vector(*device_, random_floats(sizes(2 * width), 3));
  const device_matrix out(*device_, rows, width), scratch(*device_, rows, 2 * width);
  device_->gated_matmul(out.view(), x.view(), weight.view, bias.view, scratch.view());
  const auto both = reference::matmul(x.values(), weight.values, bias.values, sizes(rows),
                                      sizes(2 * width), sizes(k));
  reference::doubles want;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t i = 0; i < width; ++i) {
      const std::size_t at = sizes(row * 2 * width + i);
      want.push_back(reference::silu(both[at]) * both[at + sizes(width)]);
    }
  expect_close(out.read(), want, tolerance(*device_), 4);
}

TEST_P(matmul_test, MultipliesEveryNumberOfRowsOfATile) {
  for (std::int64_t rows = 1; rows <= 14; ++rows) check(rows, 70, 136, dtype::bf16, true);
}

TEST_P(matmul_test, MultipliesRowsAroundItsBlocks) {
  for (const std::int64_t rows : {95, 96, 97, 191, 200}) check(rows, 65, 130, dtype::bf16, false);
}

TEST_P(matmul_test, TakesWeightsOfEveryType) {
  for (const dtype type : {dtype::f32, dtype::f16, dtype::bf16})
    for (const std::int64_t rows : {1, 5, 33})
      for (const bool bias : {false, true}) check(rows, 192, 256, type, bias);
}

TEST_P(matmul_test, TakesSizesThatAreNoMultipleOfAnything) {
  for (const std::int64_t n : {1, 7, 63, 64, 65, 127, 129})
    for (const std::int64_t k : {1, 3, 17, 127, 128, 129, 257})
      for (const std::int64_t rows : {1, 13}) check(rows, n, k, dtype::bf16, true);
}

TEST_P(matmul_test, MultipliesTheGateIntoTheUpProjection) {
  for (const std::int64_t width : {1, 7, 8, 15, 16, 17, 100})
    for (const std::int64_t rows : {1, 8, 9, 17, 40}) check_gated(rows, fitting(width), 72, false);
  for (const std::int64_t k : {8, 256, 1000})
    for (const std::int64_t rows : {1, 16, 33}) check_gated(rows, 64, fitting(k), true);
}

TEST_P(matmul_test, KeepsTheGateFiniteFarFromZero) {
  std::vector<float> values(16 * 8);
  for (std::size_t row = 0; row < 16; ++row) values[row * 8] = row < 2 || row > 7 ? 1 : 0;
  values[0] = -1;
  const auto weight = load_weight(*device_, values, 16, 8, dtype::bf16);
  const device_matrix x(*device_, 1, 8, {200, 0, 0, 0, 0, 0, 0, 0});
  const device_matrix out(*device_, 1, 8), scratch(*device_, 1, 16);
  device_->gated_matmul(out.view(), x.view(), weight.view, {}, scratch.view());
  expect_close(out.read(), {0, 40000, 0, 0, 0, 0, 0, 0}, tolerance(*device_));
}

TEST_P(matmul_test, StacksThePartsOfAWeight) {
  const std::int64_t k = 40;
  const auto values = as_type(random_floats(static_cast<std::size_t>(170 * k), 5), dtype::bf16);
  const auto part = [&](std::int64_t first, std::int64_t rows) {
    return host_matrix{values.bytes.data() + first * k * 2, dtype::bf16, rows, k};
  };
  const std::vector<host_matrix> parts = {part(0, 50), part(50, 3), part(53, 0), part(53, 117)};
  const auto [weight, data] = device_->load_weight(parts);
  ASSERT_EQ(weight.rows, 170);
  ASSERT_EQ(weight.cols, k);
  const device_matrix x(*device_, 2, k, random_floats(static_cast<std::size_t>(2 * k), 6));
  const device_matrix out(*device_, 2, 170);
  device_->matmul(out.view(), x.view(), weight, {});
  expect_close(out.read(), reference::matmul(x.values(), values.values, {}, 2, 170, k),
               tolerance(*device_), std::sqrt(40.0));
}

TEST_P(matmul_test, RefusesPartsThatDoNotFitTogether) {
  const std::vector<float> values(64);
  const std::vector<host_matrix> columns = {{values.data(), dtype::f32, 2, 8},
                                            {values.data(), dtype::f32, 2, 9}};
  const std::vector<host_matrix> types = {{values.data(), dtype::f32, 2, 8},
                                          {values.data(), dtype::f16, 2, 8}};
  EXPECT_THROW(device_->load_weight(columns), std::invalid_argument);
  EXPECT_THROW(device_->load_weight(types), std::invalid_argument);
  EXPECT_THROW(device_->load_weight({}), std::invalid_argument);
}

TEST_P(matmul_test, GathersTheEmbeddingsOfIds) {
  for (const dtype type : {dtype::f32, dtype::f16, dtype::bf16}) {
    const std::int64_t vocab = 131, hidden = fitting(41);
    const auto table = load_weight(
        *device_, random_floats(static_cast<std::size_t>(vocab * hidden), 7), vocab, hidden, type);
    std::vector<token_id> ids = {0, 130, 63, 64, 65, 127, 128, 5, 5};
    const device_array<token_id> device_ids(*device_, ids);
    const device_matrix out(*device_, static_cast<std::int64_t>(ids.size()), hidden);
    device_->embed(out.view(), table.view, device_ids.data());
    const auto got = out.read();
    const auto want = as_type(table.values, device_->activation_type()).values;
    const auto width = static_cast<std::size_t>(hidden);
    for (std::size_t row = 0; row < ids.size(); ++row)
      for (std::size_t i = 0; i < width; ++i)
        ASSERT_EQ(got[row * width + i], want[static_cast<std::size_t>(ids[row]) * width + i])
            << "row " << row << " element " << i;
  }
}

TEST_P(matmul_test, ReadsSubnormalsAndLimitsOfHalfPrecision) {
  const std::vector<std::uint16_t> bits = {0x0001, 0x03FF, 0x0400, 0x7BFF,
                                           0x8001, 0xFBFF, 0x8000, 0x3C00};
  const host_matrix part{bits.data(), dtype::f16, 1, 8};
  const auto [table, data] = device_->load_weight({&part, 1});
  const auto [vector, vector_data] = device_->load_vector(part);
  const device_array<token_id> ids(*device_, {0});
  const device_matrix out(*device_, 1, 8, std::vector<float>(8), dtype::f32);
  if (device_->activation_type() != dtype::f32) GTEST_SKIP() << "activations are narrower";
  device_->embed(out.view(), table, ids.data());
  std::vector<float> loaded(8);
  device_->download(loaded.data(), vector.data, 32);
  const auto got = out.read();
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(got[i], reference::of_f16(bits[i]));
    EXPECT_EQ(loaded[i], reference::of_f16(bits[i]));
  }
}

TEST_P(matmul_test, NamesTheTokenIdOutsideTheTable) {
  const std::int64_t hidden = fitting(5);
  const auto values = random_floats(static_cast<std::size_t>(10 * hidden), 8);
  const auto table = load_weight(*device_, values, 10, hidden, dtype::f32);
  const device_matrix out(*device_, 2, hidden);
  for (const token_id bad : {10, -1, 2147483647}) {
    const device_array<token_id> ids(*device_, {3, bad});
    try {
      device_->embed(out.view(), table.view, ids.data());
      device_->wait(); // a device that computes beside the host tells it then
      FAIL() << "took " << bad;
    } catch (const std::out_of_range& error) {
      EXPECT_NE(std::string(error.what()).find(std::to_string(bad)), std::string::npos);
      EXPECT_NE(std::string(error.what()).find("10"), std::string::npos);
    }
    EXPECT_TRUE(std::isnan(out.read()[static_cast<std::size_t>(hidden)]));
  }
}

INSTANTIATE_TEST_SUITE_P(devices, matmul_test, testing::ValuesIn(device_cases()), name_of_device);

} // namespace

} // namespace troupe
