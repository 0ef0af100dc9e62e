// What a seed, or a trace, makes of a measurement's options.
#include "app/bench/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace troupe {
namespace {

double variation_of_gaps(const request_plan& plan) {
  double sum = 0;
  double squares = 0;
  double before = 0;
  for (const planned_request& each : plan) {
    const double gap = each.at - before;
    before = each.at;
    sum += gap;
    squares += gap * gap;
  }
  const auto count = static_cast<double>(plan.size());
  const double mean = sum / count;
  return std::sqrt(squares / count - mean * mean) / mean;
}

TEST(Plan, HasFixedLengthsAndAllRequestsAtOnceUnlessToldOtherwise) {
  const request_plan plan = plan_drawn({50, 300, 40, 0, 0, 1}, {}, 1);
  ASSERT_EQ(plan.size(), 50U);
  for (const planned_request& each : plan) {
    EXPECT_EQ(each.at, 0);
    EXPECT_EQ(each.input(), 300U);
    EXPECT_EQ(each.output, 40U);
  }
}

TEST(Plan, IsTheSameForASeedAndAnotherForAnother) {
  const drawn_lengths lengths{100, 300, 40, 0.5, 16, 4};
  const request_plan plan = plan_drawn(lengths, {5, 0.7}, 1);
  EXPECT_EQ(plan, plan_drawn(lengths, {5, 0.7}, 1));
  EXPECT_NE(plan, plan_drawn(lengths, {5, 0.7}, 2));
}

TEST(Plan, KeepsItsLengthsWhereArrivalsChange) {
  const drawn_lengths lengths{100, 300, 40, 0.5, 16, 4};
  request_plan calm = plan_drawn(lengths, {5, 10}, 1);
  request_plan wild = plan_drawn(lengths, {50, 0.1}, 1);
  for (request_plan* each : {&calm, &wild})
    for (planned_request& request : *each) request.at = 0;
  EXPECT_EQ(calm, wild);
}

TEST(Plan, DrawsLengthsFromTheWholeRangeAndNoFurther) {
  const request_plan plan = plan_drawn({20'000, 100, 10, 0.2, 0, 1}, {}, 1);
  std::set<std::uint64_t> inputs;
  std::set<std::uint64_t> outputs;
  for (const planned_request& each : plan) {
    inputs.insert(each.input());
    outputs.insert(each.output);
  }
  EXPECT_EQ(*inputs.begin(), 80U);
  EXPECT_EQ(*inputs.rbegin(), 120U);
  EXPECT_EQ(inputs.size(), 41U);
  EXPECT_EQ(outputs, (std::set<std::uint64_t>{8, 9, 10, 11, 12}));
}

TEST(Plan, NeverAsksForNothing) {
  for (const planned_request& each : plan_drawn({1000, 2, 1, 1, 0, 1}, {}, 1)) {
    EXPECT_GE(each.input(), 1U);
    EXPECT_LE(each.input(), 4U);
    EXPECT_GE(each.output, 1U);
    EXPECT_LE(each.output, 2U);
  }
}

TEST(Plan, SpreadsArrivalsAsTheGammaDistributionDoes) {
  for (const double burstiness : {0.5, 1.0, 4.0}) {
    const request_plan plan = plan_drawn({20'000, 1, 1, 0, 0, 1}, {50, burstiness}, 1);
    EXPECT_TRUE(std::is_sorted(plan.begin(), plan.end(),
                               [](const auto& a, const auto& b) { return a.at < b.at; }));
    EXPECT_NEAR(plan.back().at, 20'000 / 50.0, 1e-6);
    EXPECT_NEAR(variation_of_gaps(plan), 1 / std::sqrt(burstiness), 0.04) << burstiness;
  }
}

TEST(Plan, PutsOneOfSoManyPrefixesBeforeEachPrompt) {
  const request_plan plan = plan_drawn({400, 100, 10, 0, 64, 4}, {}, 1);
  std::set<std::uint64_t> prefixes;
  for (const planned_request& each : plan) {
    ASSERT_EQ(each.prompt.size(), 2U);
    EXPECT_EQ(each.prompt[0].source, run_source::prefix);
    EXPECT_EQ(each.prompt[0].tokens, 64U);
    EXPECT_EQ(each.input(), 164U);
    prefixes.insert(each.prompt[0].number);
  }
  EXPECT_EQ(prefixes, (std::set<std::uint64_t>{0, 1, 2, 3}));
}

TEST(Plan, GivesEachRequestTokensOfItsOwn) {
  std::set<std::uint64_t> numbers;
  for (const planned_request& each : plan_drawn({400, 100, 10, 0, 0, 1}, {}, 1)) {
    ASSERT_EQ(each.prompt.size(), 1U);
    EXPECT_EQ(each.prompt[0].source, run_source::own);
    numbers.insert(each.prompt[0].number);
  }
  EXPECT_EQ(numbers.size(), 400U);
}

trace two_conversations() {
  return {{{0, 1200, 50, {7, 8, 9}}, {10, 600, 20, {7, 8}}, {30, 40, 5, {}}}};
}

TEST(TracePlan, SharesTheBlocksThatTheTraceShares) {
  const request_plan plan = plan_trace(two_conversations(), {});
  ASSERT_EQ(plan.size(), 3U);
  EXPECT_EQ(plan[0].prompt, (std::vector<prompt_run>{{run_source::block, 7, 512},
                                                     {run_source::block, 8, 512},
                                                     {run_source::block, 9, 176}}));
  EXPECT_EQ(plan[1].prompt,
            (std::vector<prompt_run>{{run_source::block, 7, 512}, {run_source::block, 8, 88}}));
  EXPECT_EQ(plan[2].prompt, (std::vector<prompt_run>{{run_source::own, 2, 40}}));
  EXPECT_EQ(plan[0].output, 50U);
}

TEST(TracePlan, RunsFasterAndShorter) {
  const request_plan plan = plan_trace(two_conversations(), {2, 5, 0.01});
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[1].at, 2);
  EXPECT_EQ(plan[0].input(), 12U);
  EXPECT_EQ(plan[1].output, 1U);
  EXPECT_EQ(plan[0].prompt[0], (prompt_run{run_source::block, 7, 5}));
}

TEST(WarmupPlan, SharesThePrefixesAloneAndGoesRoundTheLengths) {
  const request_plan plan = plan_drawn({3, 100, 10, 0.5, 64, 2}, {4, 1}, 1);
  const request_plan warmup = plan_warmup(plan, 5);
  ASSERT_EQ(warmup.size(), 5U);
  std::set<std::uint64_t> numbers;
  for (std::size_t i = 0; i < warmup.size(); ++i) {
    EXPECT_EQ(warmup[i].at, 0);
    EXPECT_EQ(warmup[i].input(), plan[i % 3].input());
    EXPECT_EQ(warmup[i].output, plan[i % 3].output);
    EXPECT_EQ(warmup[i].prompt.front(), plan[i % 3].prompt.front());
    EXPECT_EQ(warmup[i].prompt.back().source, run_source::warmup);
    numbers.insert(warmup[i].prompt.back().number);
  }
  EXPECT_EQ(numbers.size(), 5U);
}

} // namespace
} // namespace troupe
