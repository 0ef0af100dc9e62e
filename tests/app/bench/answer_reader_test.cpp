// One answer: its times, its tokens, and when it counts as failed.
#include "app/bench/answer_reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

constexpr auto word = R"({"choices":[{"index":0,"text":"a","finish_reason":null}]})";
constexpr auto nothing = R"({"choices":[{"index":0,"text":"","finish_reason":null}]})";
constexpr auto finish = R"({"choices":[{"index":0,"text":"","finish_reason":"length"}]})";
constexpr auto usage = R"({"choices":[],"usage":{"prompt_tokens":30,"completion_tokens":4}})";

answer_end whole() { return {200, "OK", true, "", ""}; }

struct said {
  double at;
  std::string data;
};

request_record read(const std::vector<said>& events, const answer_end& end = whole()) {
  answer_reader reader({9, {{run_source::own, 0, 25}}, 4}, 10);
  for (const said& each : events) reader.on_event(each.data, each.at);
  reader.on_end(end, 20);
  return reader.take();
}

TEST(AnswerReader, MeasuresFromSendingToTheFirstAndTheLastToken) {
  const request_record found =
      read({{11, word}, {11.5, word}, {13, word}, {13.25, finish}, {14, usage}, {15, "[DONE]"}});
  EXPECT_TRUE(found.ok());
  EXPECT_EQ(found.planned, 9);
  EXPECT_EQ(found.sent, 10);
  EXPECT_EQ(found.ttft, 1);
  EXPECT_EQ(found.latency, 3.25);
  EXPECT_EQ(found.ended, 20);
  EXPECT_EQ(found.gaps, (std::vector<double>{0.5, 1.5}));
  EXPECT_EQ(found.tpot(), 0.75);
}

TEST(AnswerReader, BelievesTheServersCounts) {
  const request_record found = read({{11, word}, {12, usage}, {12, "[DONE]"}});
  EXPECT_TRUE(found.counted);
  EXPECT_EQ(found.input, 30U);
  EXPECT_EQ(found.output, 4U);
  EXPECT_EQ(found.planned_input, 25U);
  EXPECT_EQ(found.planned_output, 4U);
}

TEST(AnswerReader, CountsDeltasWhereTheServerDoesNotCount) {
  const request_record found = read({{11, word}, {12, word}, {12, finish}, {12, "[DONE]"}});
  EXPECT_FALSE(found.counted);
  EXPECT_EQ(found.input, 25U);
  EXPECT_EQ(found.output, 2U);
}

TEST(AnswerReader, DoesNotTakeARoleForAToken) {
  const request_record found =
      read({{10.5, R"({"choices":[{"delta":{"role":"assistant","content":""}}]})"},
            {12, R"({"choices":[{"delta":{"content":"a"}}]})"},
            {13, R"({"choices":[{"delta":{},"finish_reason":"stop"}]})"},
            {13, "[DONE]"}});
  EXPECT_EQ(found.ttft, 2);
  EXPECT_EQ(found.latency, 3);
  EXPECT_TRUE(found.gaps.empty());
  EXPECT_EQ(
      read({{11, R"({"choices":[{"delta":{"role":"assistant","content":""}}]})"}, {12, "[DONE]"}})
          .error,
      "the stream brought no tokens");
}

TEST(AnswerReader, MeasuresAnAnswerWithoutTextToItsEnd) {
  const request_record found = read({{11, nothing}, {12, finish}, {12.5, usage}, {13, "[DONE]"}});
  EXPECT_TRUE(found.ok());
  EXPECT_EQ(found.ttft, 2);
  EXPECT_EQ(found.latency, 2);
  EXPECT_EQ(found.tpot(), 0);
}

TEST(AnswerReader, FailsWhereTheStreamIsCut) {
  EXPECT_EQ(read({{11, word}, {12, finish}, {12, usage}}).error, "the stream ended before [DONE]");
  EXPECT_EQ(read({{11, word}}, {200, "OK", true, "", "the answer broke off: eof"}).error,
            "the answer broke off: eof");
  EXPECT_EQ(read({{12, "[DONE]"}}).error, "the stream brought no tokens");
}

TEST(AnswerReader, FailsWithWhatTheServerSays) {
  EXPECT_EQ(
      read({}, {503, "Service Unavailable", false, R"({"error":{"message":"full"}})", ""}).error,
      "503 Service Unavailable: full");
  EXPECT_EQ(read({}, {502, "Bad\x1b[2J", false, "", ""}).error, "502 Bad\\x1b[2J");
  EXPECT_EQ(read({}, {502, "Bad Gateway", false, "", ""}).error, "502 Bad Gateway");
  EXPECT_EQ(read({}, {0, "", false, "", "cannot connect to x: Connection refused"}).error,
            "cannot connect to x: Connection refused");
  EXPECT_EQ(read({}, {200, "OK", false, R"({"choices":[]})", ""}).error,
            R"(the answer is no stream of events: {"choices":[]})");
  EXPECT_EQ(read({{11, word}, {12, R"({"error":{"message":"lost"}})"}}).error,
            "the stream reported an error: lost");
  EXPECT_EQ(read({{11, "{"}, {12, "[DONE]"}}).error,
            "the stream holds \"{\", which is no JSON object");
}

TEST(AnswerReader, TakesAWholeStreamAsItIsWhateverBreaksBehindIt) {
  EXPECT_TRUE(read({{11, word}, {12, "[DONE]"}}, {200, "OK", true, "", "broke off"}).ok());
}

} // namespace
} // namespace troupe
