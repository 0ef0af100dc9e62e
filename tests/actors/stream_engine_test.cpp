// A stream and the lives of engines: its own may die under it, and it goes on in the next.
#include "tests/actors/stream_fixture.hpp"

namespace troupe::testing {
namespace {

using StreamAndEngine = stream_fixture;

TEST_F(StreamAndEngine, AsksForAnEngineWhereItWasGivenNone) {
  setup.engine = {};
  start();
  const auto question = supervisor.take<locate_engine>();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->asker, stream_handle());
  EXPECT_FALSE(scheduler.has<enqueue>());
}

TEST_F(StreamAndEngine, AsksForTheNextEngineWhenItsOwnDies) {
  start();
  bring("a");
  kill(scheduler.handle());
  EXPECT_EQ(supervisor.take_all<locate_engine>().size(), 1U);
  EXPECT_FALSE(client.has<finished>());
}

TEST_F(StreamAndEngine, SaysWhichEngineDiedUnderIt) {
  start();
  kill(scheduler.handle());
  EXPECT_EQ(supervisor.get<locate_engine>().after, 1U);
}

TEST_F(StreamAndEngine, GoesOnInTheNextEngineWithAllThatWasEmitted) {
  start();
  bring("ab");
  kill(scheduler.handle());
  auto next = make_probe();
  send(handle, engine_up{2, next.handle()});
  const auto order = next.take<enqueue>();
  ASSERT_TRUE(order);
  auto expected = prompt;
  expected.insert(expected.end(), {'a', 'b'});
  EXPECT_EQ(*order->spec.ids, expected);
  EXPECT_EQ(order->spec.prompt_tokens, prompt.size());
}

TEST_F(StreamAndEngine, IgnoresLateTokensOfADeadEngine) {
  start();
  kill(scheduler.handle());
  send(handle, engine_up{2, make_probe().handle()});
  emission late;
  late.tokens = {report_of('a')};
  send(handle, tokens{1, late});
  EXPECT_TRUE(client.empty());
}

TEST_F(StreamAndEngine, SendsNoTokenTwiceAcrossEngines) {
  start();
  bring("a");
  kill(scheduler.handle());
  send(handle, engine_up{2, make_probe().handle()});
  emission again;
  again.tokens = {report_of('a'), report_of('b')};
  send(handle, tokens{2, again});
  EXPECT_EQ(texts(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(StreamAndEngine, IgnoresASecondAnswerToItsQuestion) {
  setup.engine = {};
  start();
  auto first = make_probe();
  auto second = make_probe();
  send(handle, engine_up{1, first.handle()});
  send(handle, engine_up{2, second.handle()});
  EXPECT_TRUE(first.has<enqueue>());
  EXPECT_FALSE(second.has<enqueue>());
}

TEST_F(StreamAndEngine, AsksNoMoreOnceItHasEnded) {
  setup.rules.credit = 0;
  start();
  bring("a", finish_reason::stop);
  kill(scheduler.handle());
  EXPECT_FALSE(supervisor.has<locate_engine>());
  send(handle, more{1});
  EXPECT_EQ(client.get<finished>().reason, finish_reason::stop);
}

TEST_F(StreamAndEngine, EndsWithAnErrorWhereTheEngineIsGivenUp) {
  start();
  bring("a");
  kill(scheduler.handle());
  send(handle, engine_up{3, nullptr});
  const auto end = client.take<finished>();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, finish_reason::error);
  EXPECT_EQ(end->error.code, "engine_error");
  EXPECT_TRUE(is_down(handle));
}

TEST_F(StreamAndEngine, EndsWithAnErrorWhereEnginesDieUnderItAgainAndAgain) {
  setup.rules.deaths = 2;
  start();
  kill(scheduler.handle());
  for (std::uint64_t life = 2; life <= 3; ++life) {
    EXPECT_FALSE(client.has<finished>()) << "after " << life - 1 << " deaths";
    const auto next = make_probe();
    send(handle, engine_up{life, next.handle()});
    kill(next.handle());
  }
  send(handle, engine_up{4, make_probe().handle()});
  EXPECT_EQ(client.get<finished>().reason, finish_reason::error);
}

TEST_F(StreamAndEngine, CanTimeOutWhileThereIsNoEngine) {
  setup.engine = {};
  setup.timeout = std::chrono::seconds(5);
  start();
  advance(std::chrono::seconds(6));
  EXPECT_EQ(client.get<finished>().reason, finish_reason::timeout);
}

} // namespace
} // namespace troupe::testing
