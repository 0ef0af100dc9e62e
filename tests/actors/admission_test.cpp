#include "actors/admission.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/small_model.hpp"

#include <set>

namespace troupe::testing {
namespace {

using namespace std::chrono_literals;

class AdmissionActor : public actor_fixture {
 protected:
  AdmissionActor() {
    request.prompts = {std::string{"hello"}};
    request.max_tokens = 4;
  }

  /// Spawns admission; with a model and an engine unless told otherwise.
  void start(bool loaded = true) {
    handle = spawn(admission, limits, settings,
                   admission_company{supervisor.as<supervisor_actor>(),
                                     telemetry.as<telemetry_actor>(), tell()});
    if (!loaded) return run();
    send(handle, model_ready{small_front()});
    send(handle, engine_up{1, scheduler.handle()});
  }

  void ask() {
    send(handle, submit{std::make_shared<const generate_request>(request), client.handle(), 5,
                        std::chrono::steady_clock::now()});
  }

  /// The streams of the request that was accepted; the client gives each credit, as a session does.
  std::vector<caf::actor> streams() {
    auto all = client.get<accepted>().streams;
    for (const auto& made : all) send(made, more{4});
    return all;
  }

  /// Submits the request and returns why it was refused.
  api_error refusal() {
    ask();
    const auto answer = client.take<refused>();
    if (!answer) {
      ADD_FAILURE() << "it was not refused";
      return {};
    }
    EXPECT_EQ(answer->tag, 5U);
    EXPECT_FALSE(scheduler.has<enqueue>()) << "what is refused does not run";
    return answer->error;
  }

  std::vector<sequence_spec> enqueued() {
    std::vector<sequence_spec> out;
    for (auto& order : scheduler.take_all<enqueue>()) out.push_back(std::move(order.spec));
    return out;
  }

  admission_limits limits;
  admission_settings_of_streams settings;
  generate_request request;
  probe supervisor = make_probe();
  probe telemetry = make_probe();
  probe scheduler = make_probe();
  probe client = make_probe();
  admission_actor handle;
};

TEST_F(AdmissionActor, TurnsARequestIntoAStream) {
  start();
  ask();
  const auto answer = client.take<accepted>();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->tag, 5U);
  EXPECT_EQ(answer->streams.size(), 1U);
  const auto specs = enqueued();
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(*specs[0].ids, small_tokenizer()->encode("hello", true));
  EXPECT_EQ(specs[0].max_tokens, 4U);
}

TEST_F(AdmissionActor, GivesChoicesOfOnePromptSeedsInARow) {
  request.n = 3;
  request.seed = 100;
  start();
  ask();
  EXPECT_EQ(client.get<accepted>().streams.size(), 3U);
  std::vector<std::uint64_t> seeds;
  for (const auto& spec : enqueued()) seeds.push_back(spec.sampling->seed);
  EXPECT_EQ(seeds, (std::vector<std::uint64_t>{100, 101, 102}));
}

TEST_F(AdmissionActor, StartsTheSeedsAgainWithEachPrompt) {
  request.prompts = {std::string{"a"}, std::string{"b"}};
  request.n = 2;
  request.seed = 100;
  start();
  ask();
  std::vector<std::uint64_t> seeds;
  for (const auto& spec : enqueued()) seeds.push_back(spec.sampling->seed);
  EXPECT_EQ(seeds, (std::vector<std::uint64_t>{100, 101, 100, 101}));
}

TEST_F(AdmissionActor, GivesRequestsWithoutASeedDifferentOnes) {
  start();
  ask();
  ask();
  const auto specs = enqueued();
  ASSERT_EQ(specs.size(), 2U);
  EXPECT_NE(specs[0].sampling->seed, specs[1].sampling->seed);
}

TEST_F(AdmissionActor, NamesNoTwoSequencesAlike) {
  request.n = 3;
  start();
  ask();
  ask();
  std::set<sequence_id> ids;
  for (const auto& spec : enqueued()) ids.insert(spec.id);
  EXPECT_EQ(ids.size(), 6U);
}

TEST_F(AdmissionActor, RefusesWhileTheModelIsBeingLoaded) {
  start(false);
  const auto error = refusal();
  EXPECT_EQ(error.status, 503);
  EXPECT_EQ(error.code, "model_loading");
  EXPECT_GT(error.retry_after, 0U);
}

TEST_F(AdmissionActor, RefusesAModelThatIsNotServed) {
  start();
  request.model = "large";
  const auto error = refusal();
  EXPECT_EQ(error.status, 404);
  EXPECT_EQ(error.code, "model_not_found");
  EXPECT_EQ(error.param, "model");
}

TEST_F(AdmissionActor, RefusesPromptIdsOutOfRange) {
  start();
  request.prompts = {token_ids{1, 100'000}};
  const auto error = refusal();
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.param, "prompt");
  EXPECT_NE(error.message.find("100000"), std::string::npos);
}

TEST_F(AdmissionActor, RefusesABiasForAnIdOutOfRange) {
  start();
  request.logit_bias = {{-1, 1.0F}};
  EXPECT_EQ(refusal().param, "logit_bias");
}

TEST_F(AdmissionActor, RefusesAPromptThatIsTooLong) {
  start();
  request.prompts = {token_ids(64, 5)};
  const auto error = refusal();
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.code, "context_length_exceeded");
  EXPECT_NE(error.message.find("64"), std::string::npos);
}

TEST_F(AdmissionActor, RefusesAnEmptyPrompt) {
  start();
  request.prompts = {token_ids{}};
  EXPECT_EQ(refusal().status, 400);
}

TEST_F(AdmissionActor, RefusesATimeoutAboveTheServers) {
  settings.max_timeout = 60s;
  start();
  request.timeout = 61s;
  EXPECT_EQ(refusal().param, "timeout");
}

TEST_F(AdmissionActor, RefusesAConversationWithoutATemplate) {
  start(false);
  send(handle, model_ready{small_front(nullptr)});
  request.prompts = {chat_input{R"([{"role":"user","content":"hi"}])", {}, {}, true, false}};
  EXPECT_EQ(refusal().code, "unsupported_model");
}

TEST_F(AdmissionActor, RefusesWhenTheQueueIsFull) {
  limits.max_waiting = 2;
  start();
  ask();
  ask();
  scheduler.take_all<enqueue>();
  const auto error = refusal();
  EXPECT_EQ(error.status, 503);
  EXPECT_EQ(error.code, "server_is_overloaded");
  EXPECT_GT(error.retry_after, 0U);
}

TEST_F(AdmissionActor, MakesRoomInTheQueueWhenASequenceStarts) {
  limits.max_waiting = 1;
  start();
  ask();
  const auto specs = enqueued();
  ASSERT_EQ(specs.size(), 1U);
  send(handle, stream_started{specs[0].id});
  ask();
  EXPECT_EQ(client.take_all<accepted>().size(), 2U);
}

TEST_F(AdmissionActor, MakesRoomInTheQueueWhenAStreamEnds) {
  limits.max_waiting = 1;
  start();
  ask();
  send(streams().at(0), abandon{});
  ask();
  EXPECT_TRUE(client.has<accepted>());
}

TEST_F(AdmissionActor, MakesRoomInTheQueueWhenAPromptIsRefused) {
  limits.max_waiting = 1;
  start();
  request.prompts = {token_ids(64, 5)};
  refusal();
  request.prompts = {std::string{"hello"}};
  ask();
  EXPECT_TRUE(client.has<accepted>());
}

TEST_F(AdmissionActor, RefusesWhileItDrains) {
  start();
  send(handle, drain{supervisor.handle()});
  const auto error = refusal();
  EXPECT_EQ(error.status, 503);
  EXPECT_EQ(error.code, "server_is_draining");
}

TEST_F(AdmissionActor, IsDrainedAtOnceWhereNothingRuns) {
  start();
  send(handle, drain{supervisor.handle()});
  EXPECT_TRUE(supervisor.has<drained>());
}

TEST_F(AdmissionActor, IsDrainedWhenTheLastStreamHasEnded) {
  request.n = 2;
  start();
  ask();
  const auto all = streams();
  send(handle, drain{supervisor.handle()});
  send(all.at(0), abandon{});
  EXPECT_FALSE(supervisor.has<drained>());
  send(all.at(1), abandon{});
  EXPECT_EQ(supervisor.take_all<drained>().size(), 1U);
}

TEST_F(AdmissionActor, RefusesWhenTheEngineIsGivenUp) {
  start();
  send(handle, engine_up{2, nullptr});
  EXPECT_EQ(refusal().code, "model_unavailable");
}

TEST_F(AdmissionActor, SendsNewStreamsToTheNewestEngine) {
  start();
  auto next = make_probe();
  send(handle, engine_up{2, next.handle()});
  ask();
  EXPECT_TRUE(next.has<enqueue>());
  EXPECT_FALSE(scheduler.has<enqueue>());
}

TEST_F(AdmissionActor, CountsRefusals) {
  start();
  request.model = "large";
  refusal();
  EXPECT_EQ(telemetry.get<refusal_report>().code, "model_not_found");
}

TEST_F(AdmissionActor, EchoesThePromptWhereAsked) {
  start();
  request.echo = true;
  ask();
  streams();
  EXPECT_EQ(client.get<delta>().text, "hello");
}

TEST_F(AdmissionActor, TakesTheServersTimeoutWhereTheRequestHasNone) {
  settings.default_timeout = 10s;
  start();
  ask();
  streams();
  advance(11s);
  EXPECT_EQ(client.get<finished>().reason, finish_reason::timeout);
}

TEST_F(AdmissionActor, EndsTheStreamsOfAClientThatIsGone) {
  start();
  ask();
  const auto all = streams();
  kill(client.handle());
  EXPECT_TRUE(is_down(all.at(0)));
}

TEST_F(AdmissionActor, DescribesTheModel) {
  start();
  send(handle, describe_model{client.handle(), 8});
  const auto answer = client.take<model_description>();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->tag, 8U);
  EXPECT_EQ(answer->id, "small");
  EXPECT_EQ(answer->max_context, 64U);
  EXPECT_EQ(answer->created, 1234);
}

TEST_F(AdmissionActor, DescribesNothingBeforeTheModelIsLoaded) {
  start(false);
  send(handle, describe_model{client.handle(), 8});
  EXPECT_EQ(client.get<refused>().error.code, "model_loading");
}

TEST_F(AdmissionActor, TokenizesWithoutAnEngine) {
  start(false);
  send(handle, model_ready{small_front()});
  send(handle, tokenize{client.handle(), 8, std::string{"hello"}, false});
  const auto answer = client.take<tokenized>();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ids, small_tokenizer()->encode("hello", false));
}

} // namespace
} // namespace troupe::testing
