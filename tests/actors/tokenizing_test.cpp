#include "actors/tokenizing.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/small_model.hpp"

namespace troupe::testing {
namespace {

class TokenizingWorkers : public actor_fixture {
 protected:
  /// What prepare_prompts makes of the request.
  prompt_prepared prepare() {
    submit order{std::make_shared<const generate_request>(request), client.handle(), 5, {}};
    spawn(prepare_prompts, order, small_front(), admission.as<admission_actor>());
    run();
    return admission.get<prompt_prepared>();
  }

  static chat_input chat_of(std::string messages) {
    return {std::move(messages), {}, {}, true, false};
  }

  generate_request request;
  probe client = make_probe();
  probe admission = make_probe();
};

TEST_F(TokenizingWorkers, PrepareEachPromptInOrder) {
  request.prompts = {std::string{"hello"}, token_ids{7, 8}};
  const auto ready = prepare();
  ASSERT_EQ(ready.prompts.size(), 2U);
  EXPECT_EQ(*ready.prompts[0].ids, small_tokenizer()->encode("hello", true));
  EXPECT_EQ(*ready.prompts[1].ids, (token_ids{7, 8}));
  EXPECT_EQ(ready.request.tag, 5U);
}

TEST_F(TokenizingWorkers, AddNoSpecialTokensWhereTheRequestWantsNone) {
  request.prompts = {std::string{"hello"}};
  request.add_special_tokens = false;
  EXPECT_EQ(*prepare().prompts.at(0).ids, small_tokenizer()->encode("hello", false));
}

TEST_F(TokenizingWorkers, SpellIdsWhereThePromptIsEchoed) {
  request.prompts = {small_tokenizer()->encode("hello", false)};
  request.echo = true;
  EXPECT_EQ(prepare().prompts.at(0).text, "hello");
}

TEST_F(TokenizingWorkers, RenderConversations) {
  request.prompts = {chat_of(R"([{"role":"user","content":"hi"}])")};
  EXPECT_EQ(prepare().prompts.at(0).text, "user: hi\nassistant: ");
}

TEST_F(TokenizingWorkers, LeaveMarksInAConversationsTextPlain) {
  request.prompts = {chat_of(R"([{"role":"user","content":"<|end|>"}])")};
  const auto ready = prepare();
  const auto& ids = *ready.prompts.at(0).ids;
  EXPECT_EQ(std::count(ids.begin(), ids.end(), *small_tokenizer()->find("<|end|>")), 0);
}

TEST_F(TokenizingWorkers, LeaveTheFinalMessageOpenWhereItIsContinued) {
  auto chat = chat_of(R"([{"role":"user","content":"hi"},{"role":"assistant","content":"well,"}])");
  chat.continue_final_message = true;
  request.prompts = {chat};
  EXPECT_EQ(prepare().prompts.at(0).text, "user: hi\nassistant: well,");
}

TEST_F(TokenizingWorkers, RefuseToContinueAMessageWithoutText) {
  auto chat = chat_of(R"([{"role":"assistant","content":""}])");
  chat.continue_final_message = true;
  request.prompts = {chat};
  EXPECT_EQ(prepare().error.param, "continue_final_message");
}

TEST_F(TokenizingWorkers, AnswerWithTheTemplatesRefusal) {
  submit order{nullptr, client.handle(), 5, {}};
  request.prompts = {chat_of(R"([{"role":"user","content":"hi"}])")};
  order.request = std::make_shared<const generate_request>(request);
  spawn(prepare_prompts, order, small_front("{{ raise_exception('users must alternate') }}"),
        admission.as<admission_actor>());
  run();
  const auto error = admission.get<prompt_prepared>().error;
  EXPECT_EQ(error.status, 400);
  EXPECT_NE(error.message.find("users must alternate"), std::string::npos);
}

TEST_F(TokenizingWorkers, AnswerEvenWhereSomethingThrows) {
  request.prompts = {chat_of("not JSON")}; // which no door lets through
  EXPECT_EQ(prepare().error.status, 500);
}

TEST_F(TokenizingWorkers, SpellEachToken) {
  spawn(tokenize_text, tokenize{client.handle(), 8, std::string{"hello"}, false}, small_front());
  run();
  const auto answer = client.get<tokenized>();
  EXPECT_EQ(answer.tag, 8U);
  ASSERT_EQ(answer.spellings.size(), answer.ids.size());
  std::string joined;
  for (const auto& spelling : answer.spellings) joined += spelling;
  EXPECT_EQ(joined, "hello");
  EXPECT_EQ(answer.max_context, 64U);
}

TEST_F(TokenizingWorkers, TurnIdsBackIntoText) {
  spawn(detokenize_ids, detokenize{client.handle(), 8, small_tokenizer()->encode("hello", false)},
        small_front());
  run();
  EXPECT_EQ(client.get<tokenized>().text, "hello");
}

TEST_F(TokenizingWorkers, RefuseIdsOutOfRange) {
  spawn(detokenize_ids, detokenize{client.handle(), 8, {-1}}, small_front());
  run();
  const auto answer = client.get<refused>();
  EXPECT_EQ(answer.tag, 8U);
  EXPECT_EQ(answer.error.param, "tokens");
}

} // namespace
} // namespace troupe::testing
