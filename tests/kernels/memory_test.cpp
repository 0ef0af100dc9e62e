// Memory of a device: bytes go there and come back, and too much is refused.
#include "tests/kernels/device.hpp"

namespace troupe {

namespace {

using memory_test = device_test;

TEST_P(memory_test, BringsBackTheBytesThatWereUploaded) {
  for (const std::size_t n : {1, 63, 4096, 5 << 20}) {
    std::vector<std::uint8_t> bytes(n);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + n);
    const device_array<std::uint8_t> array(*device_, bytes);
    EXPECT_EQ(array.read(), bytes);
  }
}

TEST_P(memory_test, CopiesWithinItselfNoMoreThanWasAsked) {
  for (const std::size_t n : {0, 1, 63, 4096, 5 << 20}) {
    std::vector<std::uint8_t> bytes(n + 1);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + n);
    const device_array<std::uint8_t> from(*device_, bytes);
    device_array<std::uint8_t> to(*device_, std::vector<std::uint8_t>(n + 1, 0));
    device_->copy(to.data(), from.data(), n);
    bytes[n] = 0;
    EXPECT_EQ(to.read(), bytes);
  }
}

TEST_P(memory_test, AllocatesNothingAsSomething) { EXPECT_NE(device_->allocate(0), nullptr); }

TEST_P(memory_test, RefusesMoreThanThereIsAndSaysHowMuchWasAsked) {
  EXPECT_GT(device_->free_memory(), std::size_t{1} << 20);
  for (const std::size_t bytes : {std::size_t{1} << 50, ~std::size_t{0}}) try {
      const auto memory = device_->allocate(bytes);
      FAIL() << "gave " << bytes;
    } catch (const device_error& error) {
      EXPECT_NE(std::string(error.what()).find(std::to_string(bytes)), std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(devices, memory_test, testing::ValuesIn(device_cases()), name_of_device);

} // namespace

} // namespace troupe
