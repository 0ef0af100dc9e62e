// The plan's sums are right, and what does not fit is answered with what would.
#include "model/families/family.hpp"
#include "model/memory_plan.hpp"
#include "tests/model/model_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t mib = 1 << 20;

architecture small() { return read_architecture(testing::small_config(), "config.json"); }

memory_request request() {
  return {.free_bytes = 64 * mib,
          .weight_bytes = mib,
          .activation_type = dtype::f32,
          .block_tokens = 16,
          .max_sequences = 4,
          .step_tokens = 64,
          .kv_bytes = std::nullopt};
}

TEST(MemoryPlan, GivesNoMoreThanTheSequencesCanUse) {
  const memory_plan plan = plan_memory(small(), request());
  EXPECT_EQ(plan.block_bytes, 2U * 2 * 16 * 2 * 8 * 4); // layers, keys and values, tokens, heads
  EXPECT_EQ(plan.blocks, 4 * 128 / 16);
  EXPECT_EQ(plan.tokens(), 512);
  EXPECT_DOUBLE_EQ(plan.full_sequences(), 4.0);
}

TEST(MemoryPlan, FillsWhatIsLeftWhenThatIsLess) {
  memory_request r = request();
  r.max_sequences = 1'000'000;
  const memory_plan plan = plan_memory(small(), r);
  const std::uint64_t used = plan.weight_bytes + plan.workspace_bytes + plan.kv_bytes;
  const auto usable = static_cast<std::uint64_t>(64.0 * mib * 0.9);
  EXPECT_LE(used, usable);
  EXPECT_GT(used + plan.block_bytes, usable);
}

TEST(MemoryPlan, LeavesTheDeviceWhatItNeedsForItself) {
  memory_request r = request();
  r.max_sequences = 1'000'000;
  const memory_plan without = plan_memory(small(), r);
  r.device_bytes = 8 * mib;
  const memory_plan with = plan_memory(small(), r);
  EXPECT_EQ(with.device_bytes, 8 * mib);
  EXPECT_EQ(with.kv_bytes + 8 * mib, without.kv_bytes); // a whole number of blocks
  r.device_bytes = 60 * mib;
  EXPECT_THAT(testing::error_of([&] { plan_memory(small(), r); }), HasSubstr("nothing is left"));
}

TEST(MemoryPlan, CountsTheLogitsThatAreInMemoryAtOnce) {
  memory_request r = request();
  r.logits_rows = 1;
  const std::uint64_t one = plan_memory(small(), r).workspace_bytes;
  r.logits_rows = 64;
  const std::uint64_t all = plan_memory(small(), r).workspace_bytes;
  r.logits_rows = 1000; // more than a step has rows
  EXPECT_EQ(plan_memory(small(), r).workspace_bytes, all);
  const auto row = static_cast<std::uint64_t>(small().vocab + small().hidden) * 4;
  EXPECT_EQ(all - one, 63 * row);
}

TEST(MemoryPlan, TakesTheBytesThatAreSet) {
  memory_request r = request();
  r.kv_bytes = 40 * 4096;
  EXPECT_EQ(plan_memory(small(), r).blocks, 32);
  r.max_sequences = 100;
  EXPECT_EQ(plan_memory(small(), r).blocks, 40);
}

TEST(MemoryPlan, RefusesAContextThatDoesNotFitNamingTheLongest) {
  memory_request r = request();
  r.kv_bytes = 5 * 4096;
  EXPECT_THAT(testing::error_of([&] { plan_memory(small(), r); }),
              HasSubstr("needs 0.0 MiB for max_context 128, 0.0 MiB available: the longest that "
                        "fits is 80; set --max-context 80 or --kv-memory 1MiB"));
  r.max_context = 80;
  EXPECT_EQ(plan_memory(small(), r).blocks, 5);
}

TEST(MemoryPlan, RefusesWeightsThatLeaveNothing) {
  memory_request r = request();
  r.weight_bytes = 60 * mib;
  EXPECT_THAT(testing::error_of([&] { plan_memory(small(), r); }),
              HasSubstr("weights take 60.0 MiB"));
}

TEST(MemoryPlan, RefusesMoreKvThanIsLeft) {
  memory_request r = request();
  r.kv_bytes = 64 * mib;
  EXPECT_THAT(testing::error_of([&] { plan_memory(small(), r); }), HasSubstr("64.0 MiB of KV"));
}

TEST(MemoryPlan, RefusesSettingsOutOfTheirRange) {
  memory_request r = request();
  r.max_context = 129;
  EXPECT_THAT(testing::error_of([&] { plan_memory(small(), r); }), HasSubstr("[1, 128]"));
  r = request();
  r.fraction = 0;
  EXPECT_THAT(testing::error_of([&] { plan_memory(small(), r); }), HasSubstr("(0, 1]"));
  r = request();
  r.max_sequences = 0;
  EXPECT_THAT(testing::error_of([&] { plan_memory(small(), r); }), HasSubstr("at least 1"));
}

TEST(MemoryPlan, ShowsItsPartsAsATable) {
  const std::string table = to_table(plan_memory(small(), request()));
  EXPECT_THAT(table, HasSubstr("weights             1.0 MiB   1.6 %"));
  EXPECT_THAT(table, HasSubstr("32 blocks of 16 tokens: 512 tokens, 4.0 sequences of 128"));
}

} // namespace
} // namespace troupe
