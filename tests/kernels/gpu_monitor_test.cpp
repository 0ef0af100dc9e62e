// Against a library that stands in for the driver's: tests/kernels/nvml/driver.c.
#include "kernels/gpu_monitor.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(GpuMonitor, ReadsEveryGpuInItsUnits) {
  const auto monitor = open_gpu_monitor(TROUPE_TEST_NVML);
  ASSERT_NE(monitor, nullptr);
  const auto all = monitor->read();
  ASSERT_EQ(all.size(), 2U);
  const auto& gpu = all[0];
  EXPECT_EQ(gpu.index, 0U);
  EXPECT_EQ(gpu.uuid, "GPU-new");
  EXPECT_DOUBLE_EQ(gpu.utilisation.value(), 0.87);
  EXPECT_DOUBLE_EQ(gpu.memory_used_bytes.value(), 750000);
  EXPECT_DOUBLE_EQ(gpu.memory_total_bytes.value(), 1000000);
  EXPECT_DOUBLE_EQ(gpu.power_watts.value(), 412.5);
  EXPECT_DOUBLE_EQ(gpu.energy_joules.value(), 5e6);
  EXPECT_DOUBLE_EQ(gpu.temperature_celsius.value(), 61);
  EXPECT_DOUBLE_EQ(gpu.clock_hertz.value(), 1.98e9);
  EXPECT_DOUBLE_EQ(gpu.memory_clock_hertz.value(), 3.201e9);
  EXPECT_DOUBLE_EQ(gpu.ecc_corrected.value(), 4);
  EXPECT_DOUBLE_EQ(gpu.ecc_uncorrected.value(), 1);
}

TEST(GpuMonitor, LeavesOutWhatADriverDoesNotTell) {
  const auto old = open_gpu_monitor(TROUPE_TEST_NVML)->read().at(1);
  EXPECT_EQ(old.uuid, "GPU-old");
  EXPECT_FALSE(old.utilisation || old.power_watts || old.energy_joules || old.clock_hertz);
  EXPECT_FALSE(old.ecc_corrected || old.ecc_uncorrected);
  EXPECT_TRUE(old.temperature_celsius);
}

TEST(GpuMonitor, IsNotThereWithoutADriver) {
  EXPECT_EQ(open_gpu_monitor("libnvidia-ml-of-nobody.so.1"), nullptr);
}

TEST(GpuMonitor, IsNotThereWhereTheLibraryIsAnother) {
  EXPECT_EQ(open_gpu_monitor("libm.so.6"), nullptr);
}

} // namespace
} // namespace troupe
