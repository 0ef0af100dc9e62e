// Cancelling, parking, and what an executor or a client may do wrong.
#include "tests/actors/logic/scheduler_bench.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(BatchScheduler, RefusesWhatCanNeverFit) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 250, 8)); // 257 tokens; the last is never an input
  bench.scheduler.enqueue(spec_of(2, 250, 7));
  bench.settle();
  EXPECT_EQ(bench.end_of(1), finish_reason::error);
  EXPECT_NE(bench.emitted.at(0).error.find("65 blocks"), std::string::npos)
      << bench.emitted[0].error;
  EXPECT_EQ(bench.end_of(2), std::nullopt);
}

TEST(BatchScheduler, RefusesALengthThatWouldOverflow) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 10, UINT32_MAX));
  bench.settle();
  EXPECT_EQ(bench.end_of(1), finish_reason::error);
}

TEST(BatchScheduler, PassesOverASequenceThatItKnows) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 4));
  bench.step();
  bench.scheduler.enqueue(spec_of(1, 3, 4));
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 4));
}

TEST(BatchScheduler, ForgetsAWaitingSequenceThatIsCancelled) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 4));
  bench.scheduler.cancel(1);
  EXPECT_TRUE(bench.scheduler.idle());
  EXPECT_FALSE(bench.plan());
}

TEST(BatchScheduler, GivesBackALeaseThatComesAfterTheCancel) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 4));
  EXPECT_FALSE(bench.scheduler.plan({}));
  const auto replies = bench.pool.serve(bench.scheduler.take_requests());
  ASSERT_EQ(replies.leased.size(), 1U);
  bench.scheduler.cancel(1);
  bench.scheduler.settle(replies);
  bench.settle();
  EXPECT_EQ(bench.pool.stats().used, 0U);
  EXPECT_TRUE(bench.scheduler.idle());
}

TEST(BatchScheduler, EmitsNothingAfterACancel) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 40));
  bench.plan();
  bench.plan();
  bench.scheduler.cancel(1);
  EXPECT_FALSE(bench.plan());
  bench.apply(bench.compute());
  bench.apply(bench.compute());
  EXPECT_TRUE(bench.emitted.empty());
  EXPECT_EQ(bench.pool.stats().used, 0U) << "free within two steps";
  EXPECT_TRUE(bench.scheduler.idle());
}

TEST(BatchScheduler, ForgetsAParkedSequenceThatIsCancelled) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 40));
  bench.scheduler.park(1);
  EXPECT_EQ(bench.scheduler.counts().parked, 1U);
  bench.scheduler.cancel(1);
  EXPECT_TRUE(bench.scheduler.idle());
}

TEST(BatchScheduler, PassesOverSequencesThatItDoesNotKnow) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.cancel(9);
  bench.scheduler.park(9);
  bench.scheduler.resume(9);
  EXPECT_TRUE(bench.scheduler.idle());
}

TEST(BatchScheduler, ParksASequenceWithoutItsBlocksAndResumesItExactly) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 10));
  bench.plan();
  bench.plan();
  bench.scheduler.park(1);
  bench.apply(bench.compute());
  bench.apply(bench.compute());
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 2)) << "what was under way is emitted";
  EXPECT_EQ(bench.pool.stats().used, 0U);
  EXPECT_FALSE(bench.plan());
  bench.scheduler.resume(1);
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 10));
}

TEST(BatchScheduler, GoesOnWhenAResumeComesBeforeTheParkIsDone) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 10));
  bench.plan();
  bench.scheduler.park(1);
  bench.scheduler.resume(1);
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 10));
}

TEST(BatchScheduler, EndsOnlyTheSequenceThatFailed) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 4));
  bench.scheduler.enqueue(spec_of(2, 3, 4));
  ASSERT_EQ(bench.plan()->runs.size(), 2U);
  auto result = bench.compute();
  result.slots[0].tokens.clear();
  result.slots[0].error = "it overheated";
  const auto failed = result.slots[0].sequence;
  bench.apply(std::move(result));
  ASSERT_TRUE(bench.finish());
  EXPECT_EQ(bench.end_of(failed), finish_reason::error);
  EXPECT_EQ(bench.emitted.front().error, "it overheated");
  EXPECT_EQ(bench.tokens_of(3 - failed), expected_tokens(3 - failed, 0, 4));
  EXPECT_EQ(bench.pool.stats().used, 0U);
}

TEST(BatchScheduler, EndsSequencesThatTheExecutorLeftOut) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 4));
  bench.plan();
  auto result = bench.compute();
  result.slots.clear();
  bench.apply(std::move(result));
  EXPECT_EQ(bench.end_of(1), finish_reason::error);
  EXPECT_TRUE(bench.scheduler.idle());
}

TEST(BatchScheduler, EndsASequenceThatWasToBeSampledAndWasNot) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 4));
  bench.plan();
  auto result = bench.compute();
  result.slots[0].tokens.clear();
  bench.apply(std::move(result));
  EXPECT_EQ(bench.end_of(1), finish_reason::error);
}

TEST(BatchScheduler, IgnoresResultsOfAnotherIncarnation) {
  scheduler_bench bench{small_limits(), 7};
  bench.scheduler.enqueue(spec_of(1, 3, 4));
  bench.plan();
  auto result = bench.compute();
  auto late = result;
  late.incarnation = 6;
  bench.apply(std::move(late));
  EXPECT_TRUE(bench.emitted.empty());
  bench.apply(std::move(result));
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 1));
}

TEST(BatchScheduler, IgnoresAResultThatCameBefore) {
  scheduler_bench bench{small_limits()};
  bench.scheduler.enqueue(spec_of(1, 3, 4));
  bench.plan();
  bench.plan();
  const auto result = bench.compute();
  bench.apply(result);
  bench.apply(result);
  EXPECT_EQ(bench.tokens_of(1), expected_tokens(1, 0, 1));
}

TEST(BatchScheduler, TakesADenialForStaleWhereBlocksCameBackSince) {
  auto limits = small_limits();
  limits.step_tokens = 32;
  limits.total_blocks = 6;
  limits.lease_ahead = 0;
  scheduler_bench bench{limits};
  bench.scheduler.enqueue(spec_of(1, 4, 12)); // stays
  bench.scheduler.enqueue(spec_of(2, 16, 1)); // leaves with its first token
  ASSERT_EQ(bench.plan()->runs.size(), 2U);
  bench.scheduler.enqueue(spec_of(3, 12, 1));
  if (auto second = bench.scheduler.plan({})) bench.under_way.push_back(std::move(*second));
  const auto denial = bench.pool.serve(bench.scheduler.take_requests());
  ASSERT_EQ(denial.not_leased, (std::vector<sequence_id>{3}));
  bench.scheduler.apply(bench.compute()); // the second ends and its blocks go back
  ASSERT_EQ(bench.pool.serve(bench.scheduler.take_requests()).stats.used, 2U);
  bench.scheduler.settle(denial);
  bench.scheduler.plan({});
  EXPECT_EQ(bench.scheduler.take_requests().leased.size(), 1U)
      << "it does not wait for the first to end";
}

} // namespace
} // namespace troupe
