// What the scheduler plans while nothing goes wrong.
#include "tests/actors/logic/scheduler_bench.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(BatchScheduler, GeneratesASequenceToItsLength) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 5, 7));
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 7));
  EXPECT_EQ(bench.end_of(1), finish_reason::length);
  EXPECT_TRUE(bench.scheduler.idle());
  EXPECT_EQ(bench.pool.stats().used, 0U);
}

TEST(BatchScheduler, PlansNothingWithoutSequences) {
  scheduler_bench bench{small_limits()};
  EXPECT_FALSE(bench.plan());
  EXPECT_TRUE(bench.scheduler.idle());
}

TEST(BatchScheduler, GeneratesOneTokenFromOne) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 1, 1));
  const auto plan = bench.plan();
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->runs.size(), 1U);
  EXPECT_EQ(plan->runs[0].tokens, 1U);
  EXPECT_TRUE(plan->runs[0].sample);
  EXPECT_EQ(plan->grown[0].blocks.size(), 1U);
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 1));
}

TEST(BatchScheduler, CutsPromptsToTheBudget) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 40, 1));
  std::vector<std::uint32_t> chunks;
  while (auto plan = bench.plan()) {
    chunks.push_back(plan->runs.at(0).tokens);
    EXPECT_EQ(plan->runs[0].sample, chunks.size() == 3);
    bench.apply(bench.compute());
  }
  EXPECT_EQ(chunks, (std::vector<std::uint32_t>{16, 16, 8}));
}

TEST(BatchScheduler, DecodesBeforeItFillsTheStepWithPrompts) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 2, 20));
  bench.step();
  bench.scheduler.enqueue(spec_of(2, 40, 20));
  const auto plan = bench.plan();
  const auto mixed = plan->runs.size() == 2 ? plan : bench.plan();
  ASSERT_EQ(mixed->runs.size(), 2U);
  EXPECT_EQ(mixed->runs[0].tokens, 1U);
  EXPECT_EQ(mixed->runs[1].tokens, 15U) << "the rest of the budget";
}

TEST(BatchScheduler, PlansASecondStepBeforeTheFirstIsBack) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 5));
  const auto first = bench.plan();
  const auto second = bench.plan();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->runs[0].first, 3U) << "of the token that the first samples";
  EXPECT_TRUE(second->runs[0].sample);
  EXPECT_FALSE(bench.plan()) << "two are under way";
}

TEST(BatchScheduler, DropsWhatWasComputedBehindTheEnd) {
  scheduler_bench bench{small_limits()};
  auto spec = spec_of(1, 3, 50);
  spec.stop_ids = {token_of(1, 2)};
  bench.scheduler.enqueue(std::move(spec));
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 3)) << "the stop token is the last";
  EXPECT_EQ(bench.end_of(1), finish_reason::stop);
  EXPECT_EQ(bench.pool.stats().used, 0U);
}

TEST(BatchScheduler, KeepsBlocksUntilNoStepTouchesThem) {
  scheduler_bench bench{small_limits()};
  auto spec = spec_of(1, 3, 50);
  spec.stop_ids = {token_of(1, 0)};
  bench.scheduler.enqueue(std::move(spec));
  bench.plan();
  bench.plan();
  bench.apply(bench.compute());
  EXPECT_EQ(bench.end_of(1), finish_reason::stop);
  EXPECT_GT(bench.pool.stats().used, 0U) << "the second step still writes into them";
  bench.apply(bench.compute());
  EXPECT_EQ(bench.pool.stats().used, 0U);
}

TEST(BatchScheduler, PlansNoMoreRowsThanTokensAreWanted) {
  auto limits = small_limits();
  limits.steps_in_flight = 3;
  scheduler_bench bench{limits};
  bench.scheduler.enqueue(spec_of(1, 3, 2));
  EXPECT_TRUE(bench.plan());
  EXPECT_TRUE(bench.plan());
  EXPECT_FALSE(bench.plan()) << "two tokens were asked for";
}

TEST(BatchScheduler, StartsInTheOrderOfPriorityThenArrival) {
  auto limits = small_limits();
  limits.max_sequences = 1;
  scheduler_bench bench{limits};
  for (sequence_id id = 1; id <= 3; ++id) {
    auto spec = spec_of(id, 2, 1);
    if (id == 3) spec.priority = -1;
    bench.scheduler.enqueue(std::move(spec));
  }
  ASSERT_TRUE(bench.finish());
  std::vector<sequence_id> order;
  for (const auto& it : bench.emitted) order.push_back(it.sequence);
  EXPECT_EQ(order, (std::vector<sequence_id>{3, 1, 2}));
}

TEST(BatchScheduler, PreemptsALessUrgentSequenceForASlot) {
  auto limits = small_limits();
  limits.max_sequences = 1;
  scheduler_bench bench{limits};
  bench.scheduler.enqueue(spec_of(1, 2, 10));
  bench.step();
  bench.step();
  auto urgent = spec_of(2, 2, 3);
  urgent.priority = -1;
  bench.scheduler.enqueue(std::move(urgent));
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.scheduler.counts().preemptions, 1U);
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 10));
  EXPECT_EQ(bench.tokens_of(2), expected_tokens(2, 0, 3));
  EXPECT_EQ(bench.emitted.back().sequence, 1U) << "the urgent one was done first";
}

TEST(BatchScheduler, PreemptsTheLastInTurnWhereBlocksRunOutAndGoesOnExactly) {
  auto limits = small_limits();
  limits.total_blocks = 7;
  limits.lease_ahead = 4;
  scheduler_bench bench{limits};
  bench.scheduler.enqueue(spec_of(1, 4, 20));
  bench.scheduler.enqueue(spec_of(2, 4, 20));
  ASSERT_TRUE(bench.finish());
  EXPECT_GT(bench.scheduler.counts().preemptions, 0U);
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 20));
  EXPECT_EQ(bench.tokens_of(2), expected_tokens(2, 0, 20));
  EXPECT_EQ(bench.emitted.back().sequence, 2U) << "who came first was not preempted";
}

TEST(BatchScheduler, GoesOnWhereAnotherEngineStopped) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(moved_spec(1, 5, 9, 4));
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.emitted.front().first, 4U);
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 4, 9));
}

TEST(BatchScheduler, EndsAtOnceWhatHasAllItsTokens) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(moved_spec(1, 5, 4, 4));
  bench.settle();
  EXPECT_EQ(bench.end_of(1), finish_reason::length);
  EXPECT_TRUE(bench.tokens_of(1).empty());
  EXPECT_TRUE(bench.scheduler.idle());
}

TEST(BatchScheduler, SaysHowManyPromptTokensTheCacheHad) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 9, 1));
  ASSERT_TRUE(bench.finish());
  auto again = spec_of(2, 9, 1);
  again.ids = spec_of(1, 9, 1).ids;
  bench.scheduler.enqueue(std::move(again));
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.emitted.front().cached_tokens, 0U);
  EXPECT_EQ(bench.emitted.back().cached_tokens, 8U);
}

TEST(BatchScheduler, PublishesAndReusesNothingWithoutAPrefixCache) {
  auto limits = small_limits();
  limits.prefix_cache = false;
  scheduler_bench bench{limits};
  bench.scheduler.enqueue(spec_of(1, 9, 9));
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.pool.stats().idle, 0U);
  EXPECT_EQ(bench.pool.stats().queried_tokens, 0U);
}

TEST(BatchScheduler, ComputesAllOfAPromptWhoseLogprobsAreWanted) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 9, 1));
  ASSERT_TRUE(bench.finish());
  auto again = spec_of(2, 9, 1);
  again.ids = spec_of(1, 9, 1).ids;
  sampling_params sampling;
  sampling.prompt_logprobs = 0;
  again.sampling = std::make_shared<const sampling_params>(sampling);
  bench.scheduler.enqueue(std::move(again));
  EXPECT_EQ(bench.plan()->runs.at(0).first, 0U);
}

TEST(BatchScheduler, AsksForBlocksInTimeWithNothingLeasedAhead) {
  auto limits = small_limits();
  limits.lease_ahead = 0;
  scheduler_bench bench{limits};
  bench.scheduler.enqueue(spec_of(1, 4, 20));
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 20));
}

} // namespace
} // namespace troupe
