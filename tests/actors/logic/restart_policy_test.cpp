// Back-off and intensity of restarts.
#include "actors/logic/restart_policy.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr restart_policy::time_point begin{};

TEST(RestartPolicy, DoublesThePauseWithEveryDeath) {
  restart_policy policy{4, seconds{60}};
  EXPECT_EQ(policy.died(begin), milliseconds{100});
  EXPECT_EQ(policy.died(begin), milliseconds{200});
  EXPECT_EQ(policy.died(begin), milliseconds{400});
}

TEST(RestartPolicy, NeverPausesLongerThanTenSeconds) {
  restart_policy policy{100, seconds{60}};
  for (int i = 0; i < 40; ++i) EXPECT_LE(policy.died(begin).value(), seconds{10});
  EXPECT_EQ(policy.died(begin), seconds{10});
}

TEST(RestartPolicy, GivesUpWithOneDeathTooManyInTheWindow) {
  restart_policy policy{2, seconds{60}};
  EXPECT_TRUE(policy.died(begin));
  EXPECT_TRUE(policy.died(begin + seconds{1}));
  EXPECT_FALSE(policy.died(begin + seconds{2}));
}

TEST(RestartPolicy, ForgetsDeathsBeforeTheWindow) {
  restart_policy policy{1, seconds{60}};
  EXPECT_EQ(policy.died(begin), milliseconds{100});
  EXPECT_EQ(policy.died(begin + seconds{61}), milliseconds{100});
}

} // namespace
} // namespace troupe
