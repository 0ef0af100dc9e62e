#include "tests/actors/stream_fixture.hpp"

#include <stdexcept>

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;
using StreamActor = stream_fixture;

TEST_F(StreamActor, EnqueuesItsSequenceAtTheEngineItWasGiven) {
  start();
  const auto order = scheduler.take<enqueue>();
  ASSERT_TRUE(order);
  EXPECT_EQ(order->spec.id, setup.spec.id);
  EXPECT_EQ(*order->spec.ids, prompt);
  EXPECT_EQ(order->stream, stream_handle());
}

TEST_F(StreamActor, ForwardsEachTokensText) {
  start();
  bring("ab");
  const auto piece = client.take<delta>();
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->text, "ab");
  EXPECT_EQ(piece->token_count, 2U);
  EXPECT_EQ(piece->tag, setup.tag);
  EXPECT_EQ(piece->choice, setup.choice);
}

TEST_F(StreamActor, TellsAdmissionOnceThatItStarted) {
  start();
  bring("a");
  bring("b");
  const auto started = admission.take_all<stream_started>();
  ASSERT_EQ(started.size(), 1U);
  EXPECT_EQ(started.front().stream, setup.spec.id);
}

TEST_F(StreamActor, MergesWhatComesWhileThereIsNoCredit) {
  setup.rules.credit = 1;
  start();
  for (const char letter : std::string{"abcd"}) bring(std::string(1, letter));
  EXPECT_EQ(texts(), std::vector<std::string>{"a"});
  send(handle, more{1});
  EXPECT_EQ(texts(), std::vector<std::string>{"bcd"});
}

TEST_F(StreamActor, FinishesAfterTheLastPieceAndEnds) {
  start();
  bring("a", finish_reason::length);
  EXPECT_TRUE(client.last_is<finished>());
  EXPECT_EQ(texts(), std::vector<std::string>{"a"});
  const auto end = client.take<finished>();
  EXPECT_EQ(end->reason, finish_reason::length);
  EXPECT_EQ(end->usage.prompt, prompt.size());
  EXPECT_EQ(end->usage.completion, 1U);
  EXPECT_TRUE(is_down(handle));
}

TEST_F(StreamActor, KeepsTheEndBackUntilTheReaderTookTheText) {
  setup.rules.credit = 0;
  start();
  bring("a", finish_reason::stop);
  EXPECT_TRUE(client.empty());
  send(handle, more{1});
  EXPECT_TRUE(client.has<delta>());
  EXPECT_TRUE(client.has<finished>());
}

TEST_F(StreamActor, SendsNoEndBeforeTheReaderKnowsTheStream) {
  setup.rules.credit = 0;
  start();
  send(handle, abandon{});
  EXPECT_TRUE(client.empty());
  send(handle, more{1});
  EXPECT_EQ(client.get<finished>().reason, finish_reason::cancelled);
}

TEST_F(StreamActor, NamesTheStopTokenOnlyWhereTheRequestAskedForIt) {
  request.stop_token_ids = {'x'};
  start();
  bring("x", finish_reason::stop);
  EXPECT_EQ(client.get<finished>().stop_token, token_id{'x'});
}

TEST_F(StreamActor, KeepsTheModelsOwnEndTokenToItself) {
  start();
  bring("x", finish_reason::stop);
  EXPECT_FALSE(client.get<finished>().stop_token);
}

TEST_F(StreamActor, CancelsInTheSchedulerWhenAStopStringMatches) {
  setup.rules.stop = {"bc"};
  start();
  for (const char letter : std::string{"abc"}) bring(std::string(1, letter));
  ASSERT_TRUE(scheduler.has<cancel_sequence>());
  EXPECT_EQ(scheduler.get<cancel_sequence>().sequence, setup.spec.id);
  EXPECT_EQ(texts().front(), "a");
  EXPECT_EQ(client.get<finished>().stop_text, "bc");
}

TEST_F(StreamActor, SpellsTheTokensItReports) {
  setup.rules.wants_tokens = true;
  start();
  emission what;
  const auto id = *words().find("A");
  const auto other = *words().find("B");
  what.tokens = {{id, -0.5F, {{id, -0.5F}, {other, -1.5F}}}};
  bring(what);
  const auto piece = client.take<delta>();
  ASSERT_TRUE(piece);
  ASSERT_EQ(piece->spellings.size(), 1U);
  EXPECT_EQ(piece->spellings[0].bytes, "A");
  EXPECT_EQ(piece->spellings[0].top, (std::vector<std::string>{"A", "B"}));
}

TEST_F(StreamActor, CancelsInTheSchedulerWhenItsClientIsGone) {
  start();
  bring("a");
  kill(client.handle());
  EXPECT_TRUE(scheduler.has<cancel_sequence>());
  EXPECT_TRUE(is_down(handle));
  EXPECT_EQ(telemetry.get<sequence_report>().reason, finish_reason::cancelled);
}

TEST_F(StreamActor, EndsAtOnceWhereItsClientWasGoneBefore) {
  kill(client.handle());
  start();
  EXPECT_TRUE(is_down(handle));
  EXPECT_TRUE(scheduler.has<cancel_sequence>());
}

TEST_F(StreamActor, CancelsInTheSchedulerWhenItIsAbandoned) {
  start();
  send(handle, abandon{});
  EXPECT_TRUE(scheduler.has<cancel_sequence>());
  EXPECT_EQ(client.get<finished>().reason, finish_reason::cancelled);
}

TEST_F(StreamActor, AnswersATimeoutWithoutATokenAsAnError) {
  setup.timeout = 10s;
  start();
  advance(9s);
  EXPECT_TRUE(client.empty());
  advance(2s);
  const auto end = client.take<finished>();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, finish_reason::timeout);
  EXPECT_EQ(end->error.status, 504);
  EXPECT_EQ(end->error.code, "request_timeout");
  EXPECT_TRUE(scheduler.has<cancel_sequence>());
}

TEST_F(StreamActor, KeepsWhatWasGeneratedBeforeATimeout) {
  setup.timeout = 10s;
  setup.rules.credit = 1;
  start();
  bring("a");
  bring("b");
  advance(11s);
  EXPECT_FALSE(client.has<finished>());
  send(handle, more{1});
  EXPECT_EQ(texts(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(client.get<finished>().usage.completion, 2U);
}

TEST_F(StreamActor, HasNoDeadlineWhereNoneIsSet) {
  setup.timeout = 0s;
  start();
  advance(100h);
  EXPECT_TRUE(client.empty());
  EXPECT_FALSE(is_down(handle));
}

TEST_F(StreamActor, ParksItsSequenceWhileTooMuchIsUnread) {
  setup.rules.credit = 0;
  setup.rules.buffer_bytes = 2;
  start();
  bring("ab");
  EXPECT_FALSE(scheduler.has<park_sequence>());
  bring("c");
  EXPECT_EQ(scheduler.take_all<park_sequence>().size(), 1U);
  bring("d");
  EXPECT_FALSE(scheduler.has<park_sequence>());
}

TEST_F(StreamActor, ResumesItsSequenceWhenTheReaderIsBack) {
  setup.rules.credit = 0;
  setup.rules.buffer_bytes = 2;
  start();
  bring("abc");
  EXPECT_FALSE(scheduler.has<resume_sequence>());
  send(handle, more{1});
  EXPECT_EQ(scheduler.take_all<resume_sequence>().size(), 1U);
  EXPECT_EQ(texts(), std::vector<std::string>{"abc"});
}

TEST_F(StreamActor, GivesUpOnAReaderWhoStandsStill) {
  setup.rules.credit = 0;
  setup.slow_reader_timeout = 30s;
  start();
  bring("a");
  advance(29s);
  EXPECT_TRUE(client.empty());
  advance(2s);
  EXPECT_EQ(client.get<finished>().reason, finish_reason::cancelled);
  EXPECT_TRUE(scheduler.has<cancel_sequence>());
  EXPECT_TRUE(is_down(handle));
}

TEST_F(StreamActor, ForgivesAReaderWhoReadsInTime) {
  setup.rules.credit = 0;
  setup.slow_reader_timeout = 30s;
  start();
  bring("a");
  advance(20s);
  send(handle, more{1});
  bring("b");
  advance(20s); // 40 s after the first pause began, 20 s after the second
  EXPECT_FALSE(client.has<finished>());
  advance(11s);
  EXPECT_TRUE(client.has<finished>());
}

TEST_F(StreamActor, NeverGivesUpOnAReaderWhoHasNothingToRead) {
  setup.rules.credit = 0;
  setup.slow_reader_timeout = 30s;
  start();
  advance(50min);
  EXPECT_TRUE(client.empty());
}

TEST_F(StreamActor, EndsWithAnErrorWhereSomethingThrowsInside) {
  setup.text.push = [](token_id) -> std::string { throw std::runtime_error("no such token"); };
  start();
  bring("a");
  const auto end = client.take<finished>();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, finish_reason::error);
  EXPECT_EQ(end->error.status, 500);
  EXPECT_EQ(end->error.message.find("no such token"), std::string::npos)
      << "an exception's text is not for clients";
  EXPECT_TRUE(scheduler.has<cancel_sequence>());
  EXPECT_EQ(told, std::vector<std::string>{"a request failed"});
  EXPECT_TRUE(is_down(handle));
}

TEST_F(StreamActor, EndsWithAnErrorWhereItsStepFailed) {
  start();
  emission what;
  what.end = finish_reason::error;
  what.error = "not a number";
  bring(what);
  EXPECT_EQ(client.get<finished>().error.code, "engine_error");
}

TEST_F(StreamActor, ReportsItsTimesAndUsage) {
  setup.spec.max_tokens = 7;
  start();
  bring("a");
  bring("b", finish_reason::stop);
  const auto report = telemetry.take<sequence_report>();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->usage.completion, 2U);
  EXPECT_EQ(report->max_tokens, 7U);
  EXPECT_GE(report->times.first_token_seconds, 0);
  EXPECT_GE(report->times.total_seconds, report->times.first_token_seconds);
  EXPECT_EQ(telemetry.get<token_gaps>().seconds.size(), 1U);
}

TEST_F(StreamActor, ReportsNoTimesForWhatNeverHappened) {
  start();
  send(handle, abandon{});
  const auto report = telemetry.take<sequence_report>();
  ASSERT_TRUE(report);
  EXPECT_LT(report->times.queue_seconds, 0);
  EXPECT_LT(report->times.first_token_seconds, 0);
}

} // namespace
} // namespace troupe::testing
