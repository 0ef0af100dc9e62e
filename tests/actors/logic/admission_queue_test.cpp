// The bound at the door.
#include "actors/logic/admission_queue.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using std::chrono::seconds;

constexpr admission_queue::time_point begin{};

TEST(AdmissionQueue, RefusesOneSequenceTooMany) {
  admission_queue queue{{3, 1000}};
  EXPECT_FALSE(queue.enter(2, begin));
  EXPECT_TRUE(queue.enter(2, begin));
  EXPECT_FALSE(queue.enter(1, begin));
  EXPECT_EQ(queue.waiting(), 3U);
}

TEST(AdmissionQueue, RefusesWithAStatusAndATimeToComeAgain) {
  admission_queue queue{{0, 1000}};
  const auto error = queue.enter(1, begin);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->status, 503);
  EXPECT_GE(error->retry_after, 1U);
}

TEST(AdmissionQueue, RefusesWhileTooManyPromptTokensWait) {
  admission_queue queue{{100, 1000}};
  ASSERT_FALSE(queue.enter(1, begin));
  queue.wait(1, 1000);
  EXPECT_TRUE(queue.enter(1, begin));
  queue.started(1, begin);
  EXPECT_FALSE(queue.enter(1, begin));
}

TEST(AdmissionQueue, CountsASequenceOutOnce) {
  admission_queue queue{{10, 1000}};
  ASSERT_FALSE(queue.enter(2, begin));
  queue.wait(1, 5);
  queue.wait(2, 5);
  queue.started(1, begin);
  queue.started(1, begin);
  queue.ended(1);
  EXPECT_EQ(queue.waiting(), 1U);
  queue.ended(2);
  queue.ended(2);
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST(AdmissionQueue, ForgetsThoseWhoLeaveBeforeTheyWait) {
  admission_queue queue{{10, 1000}};
  ASSERT_FALSE(queue.enter(4, begin));
  queue.leave(4);
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST(AdmissionQueue, ComputesTheWaitFromTheRateOfStarts) {
  admission_queue queue{{1000, 100'000}};
  ASSERT_FALSE(queue.enter(110, begin));
  for (std::uint64_t id = 0; id < 110; ++id) queue.wait(id, 1);
  for (std::uint64_t id = 0; id < 10; ++id) queue.started(id, begin + seconds{id});
  const auto wait = queue.retry_after(begin + seconds{20}); // 100 wait, 10 started in 20 s
  EXPECT_EQ(wait, 60U) << "200 s are cut to a minute";
  for (std::uint64_t id = 10; id < 106; ++id) queue.started(id, begin + seconds{20});
  const auto soon = queue.retry_after(begin + seconds{84}); // 4 wait, 64 started in 64 s
  EXPECT_GE(soon, 3U);
  EXPECT_LE(soon, 5U);
}

} // namespace
} // namespace troupe
