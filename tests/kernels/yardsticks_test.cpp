// The yardsticks count what was done: which ops were issued on how much, and how long that took by
// the device's own account.
#include "kernels/yardsticks.hpp"
#include "tests/kernels/device.hpp"

#include <cmath>

namespace troupe {
namespace {

constexpr yardstick_sizes small{.copy_bytes = 3 << 20,
                                .matrix_side = 128,
                                .most_rows = 200,
                                .sample = std::chrono::milliseconds(2),
                                .samples = 3};

using yardsticks_test = device_test;

TEST_P(yardsticks_test, AreRatesOfThisDevice) {
  for (const dtype type : {dtype::f32, dtype::f16, dtype::bf16}) {
    const yardsticks found = measure_yardsticks(*device_, type, small);
    EXPECT_GT(found.copy_rate, 1e7);
    EXPECT_LT(found.copy_rate, 1e14);
    EXPECT_GT(found.matrix_rate, 1e6);
    EXPECT_LT(found.matrix_rate, 1e16);
  }
}

INSTANTIATE_TEST_SUITE_P(devices, yardsticks_test, testing::ValuesIn(device_cases()),
                         name_of_device);

/// A device that computes nothing and has a clock of its own: ops only add up the time that is due
/// for them, and wait() lets it pass.
class clocked_backend : public backend {
 public:
  static constexpr double copy_rate = 1e9;   // bytes read and written
  static constexpr double matrix_rate = 2e9; // operations

  std::string name() const override { return "clocked"; }
  dtype activation_type() const override { return dtype::bf16; }
  std::size_t free_memory() const override { return 1 << 30; }
  memory allocate(std::size_t bytes) override {
    return {new std::byte[bytes], [](std::byte* p) { delete[] p; }};
  }
  void upload(void* device, const void* host, std::size_t bytes) override {
    std::memcpy(device, host, bytes);
  }
  void download(void* host, const void* device, std::size_t bytes) override {
    std::memcpy(host, device, bytes);
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
    due_ += 2.0 * static_cast<double>(bytes) / copy_rate;
  }
  void wait() override { now += std::exchange(due_, 0); }
  std::pair<matrix, memory> load_weight(std::span<const host_matrix> parts) override {
    const std::size_t bytes =
        static_cast<std::size_t>(parts[0].rows * parts[0].cols) * size_of(parts[0].type);
    memory data = allocate(bytes);
    std::memcpy(data.get(), parts[0].data, bytes);
    const matrix view{data.get(), parts[0].type, parts[0].rows, parts[0].cols};
    return {view, std::move(data)};
  }
  std::pair<matrix, memory> load_vector(const host_matrix& vector) override {
    return load_weight({&vector, 1});
  }
  void matmul(matrix out, const matrix& x, const matrix& weight, const matrix&) override {
    most_rows = std::max(most_rows, out.rows);
    EXPECT_EQ(x.cols, weight.cols);
    EXPECT_EQ(x.type, dtype::bf16);
    const auto* const bits = static_cast<const std::uint16_t*>(x.data);
    for (std::int64_t i = 0; i < x.rows * x.cols; ++i) {
      const float value = std::fabs(reference::of_bf16(bits[i]));
      ASSERT_GE(value, 1.0F);
      ASSERT_LT(value, 2.0F);
    }
    due_ += 2.0 * static_cast<double>(out.rows * weight.rows * weight.cols) / matrix_rate;
  }
  void embed(matrix, const matrix&, const token_id*) override {}
  void add_rms_norm(matrix, matrix, const matrix&, const matrix&, float) override {}
  void norm_rope_store(matrix, const matrix&, const matrix&, float, const rope_table&,
                       const head_shape&, const kv_pages&, const batch_view&) override {}
  void attention(matrix, const matrix&, const head_shape&, const kv_pages&, const batch_view&,
                 float, std::int32_t, float) override {}
  void gated_matmul(matrix, const matrix&, const matrix&, const matrix&, matrix) override {}
  void begin(const batch_view&) override {}
  void gather_rms_norm(matrix, const matrix&, const matrix&, const matrix&, float,
                       const std::int32_t*) override {}
  std::unique_ptr<fence> mark() override { return nullptr; }
  void take_chosen(token_id*, const std::int32_t*, const token_id*, std::int32_t) override {}
  void place(std::int32_t*, const std::int32_t*, std::int32_t) override {}
  std::unique_ptr<pending_samples> sample(const matrix&, std::span<const sample_row>,
                                          token_id*) override {
    return nullptr;
  }

  double now = 0;
  std::int64_t most_rows = 0;

 private:
  double due_ = 0;
};

TEST(Yardsticks, CountTheBytesAndOperationsThatTheDeviceWasGiven) {
  clocked_backend device;
  const yardsticks found = measure_yardsticks(
      device, dtype::bf16, {.copy_bytes = 1 << 20, .matrix_side = 64, .most_rows = 200},
      [&] { return device.now; });
  EXPECT_NEAR(found.copy_rate / clocked_backend::copy_rate, 1, 1e-9);
  EXPECT_NEAR(found.matrix_rate / clocked_backend::matrix_rate, 1, 1e-9);
  EXPECT_EQ(device.most_rows, 200);
}

TEST(Yardsticks, TakeNoMoreRowsThanASampleNeeds) {
  clocked_backend device;
  measure_yardsticks(device, dtype::bf16, {.copy_bytes = 1 << 20, .matrix_side = 1024},
                     [&] { return device.now; });
  EXPECT_EQ(device.most_rows, 64); // 2 * 64 * 1024 * 1024 operations take 67 ms
}

} // namespace
} // namespace troupe
