// Stop strings in text that comes in pieces of every size.
#include "actors/logic/stop_matcher.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(StopMatcher, CutsAtTheStopWhereverThePiecesEnd) {
  const std::string text = "one two END three";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    stop_matcher matcher{{"END"}};
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += size)
      out += matcher.feed(text.substr(at, size));
    EXPECT_EQ(out, "one two ") << "pieces of " << size;
    EXPECT_EQ(matcher.matched(), "END");
  }
}

TEST(StopMatcher, LetsThroughWhatCanNotBecomeAStop) {
  stop_matcher matcher{{"abc"}};
  EXPECT_EQ(matcher.feed("xab"), "x");
  EXPECT_EQ(matcher.feed("d"), "abd");
}

TEST(StopMatcher, HoldsTheLongestBeginningOfAnyStop) {
  stop_matcher matcher{{"aab", "ab"}};
  EXPECT_EQ(matcher.feed("xaa"), "x");
  EXPECT_EQ(matcher.feed("a"), "a");
  EXPECT_EQ(matcher.feed("b"), "");
  EXPECT_EQ(matcher.matched(), "aab") << "both end here: the longer one";
}

TEST(StopMatcher, TakesTheStopThatEndsFirst) {
  stop_matcher matcher{{"bcd", "b"}};
  EXPECT_EQ(matcher.feed("abcd"), "a");
  EXPECT_EQ(matcher.matched(), "b");
}

TEST(StopMatcher, KeepsTheStopWhereAsked) {
  stop_matcher matcher{{"END"}, true};
  EXPECT_EQ(matcher.feed("go END on"), "go END");
}

TEST(StopMatcher, LetsNothingThroughAfterAMatch) {
  stop_matcher matcher{{"b"}};
  matcher.feed("ab");
  EXPECT_EQ(matcher.feed("more"), "");
  EXPECT_EQ(matcher.flush(), "");
}

TEST(StopMatcher, GivesBackWhatItHeldAtTheEnd) {
  stop_matcher matcher{{"END"}};
  EXPECT_EQ(matcher.feed("the EN"), "the ");
  EXPECT_EQ(matcher.flush(), "EN");
}

} // namespace
} // namespace troupe
