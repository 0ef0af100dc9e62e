// Which request is sent when.
#include "app/bench/pace.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

request_plan at(std::initializer_list<double> times) {
  request_plan plan;
  for (const double each : times) plan.push_back({each, {{run_source::own, plan.size(), 1}}, 1});
  return plan;
}

TEST(Pace, SendsEachRequestAtItsTime) {
  const request_plan plan = at({1, 2, 2});
  pace steps(plan);
  EXPECT_EQ(steps.wakes_at(), 1.0);
  EXPECT_EQ(steps.next(0.9), std::nullopt);
  EXPECT_EQ(steps.next(1.0), 0U);
  EXPECT_EQ(steps.next(1.5), std::nullopt);
  EXPECT_EQ(steps.wakes_at(), 2.0);
  EXPECT_EQ(steps.next(5), 1U);
  EXPECT_EQ(steps.next(5), 2U);
  EXPECT_EQ(steps.next(5), std::nullopt);
  EXPECT_EQ(steps.wakes_at(), std::nullopt);
}

TEST(Pace, WaitsForAPlace) {
  const request_plan plan = at({0, 0, 0});
  pace steps(plan, 2);
  EXPECT_EQ(steps.next(0), 0U);
  EXPECT_EQ(steps.next(0), 1U);
  EXPECT_EQ(steps.next(0), std::nullopt);
  EXPECT_EQ(steps.wakes_at(), std::nullopt);
  steps.ended();
  EXPECT_EQ(steps.under_way(), 1U);
  EXPECT_EQ(steps.wakes_at(), 0.0);
  EXPECT_EQ(steps.next(7), 2U);
}

TEST(Pace, IsFinishedWhenAllHaveEnded) {
  const request_plan plan = at({0, 0});
  pace steps(plan);
  steps.next(0);
  steps.next(0);
  steps.ended();
  EXPECT_FALSE(steps.finished());
  steps.ended();
  EXPECT_TRUE(steps.finished());
  EXPECT_EQ(steps.done(), 2U);
}

} // namespace
} // namespace troupe
