// What the operator leaves open follows the device; what he set stays.
#include "config/device_defaults.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(DeviceDefaults, AreSmallOnAProcessorAndLargeOnAGpu) {
  const engine_settings cpu = fitted_to_device({}, false);
  EXPECT_EQ(cpu.max_sequences, 256U);
  EXPECT_EQ(cpu.step_tokens, 2048U);
  EXPECT_EQ(cpu.memory_fraction, 0.5);
  const engine_settings gpu = fitted_to_device({}, true);
  EXPECT_EQ(gpu.max_sequences, 1024U);
  EXPECT_EQ(gpu.step_tokens, 8192U);
  EXPECT_EQ(gpu.memory_fraction, 0.9);
}

TEST(DeviceDefaults, LeaveWhatWasSet) {
  engine_settings set;
  set.max_sequences = 7;
  set.step_tokens = 9;
  set.memory_fraction = 0.25;
  EXPECT_EQ(fitted_to_device(set, true), set);
  EXPECT_EQ(fitted_to_device(set, false), set);
}

TEST(DeviceDefaults, AgreeWithTheOneThatWasSet) {
  engine_settings few_tokens;
  few_tokens.step_tokens = 128;
  EXPECT_EQ(fitted_to_device(few_tokens, true).max_sequences, 128U);
  engine_settings many_sequences;
  many_sequences.max_sequences = 20'000;
  EXPECT_EQ(fitted_to_device(many_sequences, true).step_tokens, 20'000U);
}

} // namespace
} // namespace troupe
