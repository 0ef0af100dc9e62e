// A stream's own decisions.
#include "actors/logic/continuation.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

// Every token is its letter.
text_source letters() {
  return {[](token_id id) { return std::string(1, static_cast<char>(id)); },
          [] { return std::string{}; }};
}

sequence_spec two_token_prompt() {
  sequence_spec out;
  out.id = 1;
  out.ids = std::make_shared<const token_ids>(token_ids{1, 2});
  out.prompt_tokens = 2;
  out.max_tokens = 100;
  out.sampling = std::make_shared<const sampling_params>();
  return out;
}

// Of a reader who listens.
continuation_rules with_credit(std::uint32_t credit = 4) {
  continuation_rules out;
  out.credit = credit;
  return out;
}

continuation stream_with(continuation_rules rules = with_credit()) {
  return continuation{two_token_prompt(), std::move(rules), letters()};
}

emission step(std::uint32_t first, const std::string& text, std::optional<finish_reason> end = {}) {
  emission out;
  out.sequence = 1;
  out.first = first;
  for (const auto letter : text) out.tokens.push_back({letter, 0, {}});
  out.end = end;
  return out;
}

TEST(Continuation, MergesPiecesWhileThereIsNoCredit) {
  const auto rules = with_credit(1);
  auto stream = stream_with(rules);
  stream.accept(step(0, "a"));
  EXPECT_EQ(stream.take_piece()->text, "a");
  stream.accept(step(1, "b"));
  stream.accept(step(2, "c"));
  EXPECT_FALSE(stream.take_piece());
  EXPECT_TRUE(stream.blocked());
  stream.grant(1);
  const auto piece = stream.take_piece();
  EXPECT_EQ(piece->text, "bc");
  EXPECT_EQ(piece->token_count, 2U);
}

TEST(Continuation, IsOverfullWithUnreadReportsAsWithUnreadText) {
  continuation_rules rules;
  rules.credit = 0;
  rules.wants_tokens = true;
  rules.buffer_bytes = 1000;
  auto stream = stream_with(rules);
  auto reported = step(0, "a");
  reported.tokens[0].top.assign(20, {65, 0.0F});
  for (; reported.first < 5; ++reported.first) stream.accept(reported);
  EXPECT_EQ(stream.usage().completion, 5U);
  EXPECT_FALSE(stream.overfull());
  for (; reported.first < 10; ++reported.first) stream.accept(reported);
  EXPECT_TRUE(stream.overfull());
  stream.grant(1);
  stream.take_piece();
  EXPECT_FALSE(stream.overfull());
}

TEST(Continuation, PassesOverTokensThatItHasSeen) {
  auto stream = stream_with();
  stream.accept(step(0, "abc"));
  stream.accept(step(1, "bcd"));
  stream.accept(step(0, "ab"));
  EXPECT_EQ(stream.take_piece()->text, "abcd");
  EXPECT_EQ(stream.usage().completion, 4U);
}

TEST(Continuation, EndsWithAnErrorWhereTokensWereLost) {
  auto stream = stream_with();
  stream.accept(step(0, "a"));
  stream.accept(step(2, "c"));
  while (stream.take_piece()) {
  }
  EXPECT_EQ(stream.take_end()->reason, finish_reason::error);
}

TEST(Continuation, TakesItsTokensAlongWhenTheEngineDies) {
  auto stream = stream_with();
  stream.accept(step(0, "ab"));
  const auto spec = stream.move_on();
  ASSERT_TRUE(spec);
  EXPECT_EQ(*spec->ids, (token_ids{1, 2, 'a', 'b'}));
  EXPECT_EQ(spec->prompt_tokens, 2U);
}

TEST(Continuation, GivesUpAfterTooManyDeathsWithoutAToken) {
  auto rules = with_credit();
  rules.deaths = 2;
  auto stream = stream_with(rules);
  EXPECT_TRUE(stream.move_on());
  stream.accept(step(0, "a"));
  EXPECT_TRUE(stream.move_on());
  EXPECT_TRUE(stream.move_on());
  EXPECT_FALSE(stream.move_on());
  while (stream.take_piece()) {
  }
  EXPECT_EQ(stream.take_end()->reason, finish_reason::error);
}

TEST(Continuation, EndsByAStopStringBeforeTheEngineDoes) {
  auto rules = with_credit();
  rules.stop = {"cd"};
  auto stream = stream_with(rules);
  stream.accept(step(0, "abcde"));
  EXPECT_TRUE(stream.ended());
  EXPECT_EQ(stream.take_piece()->text, "ab");
  const auto end = stream.take_end();
  EXPECT_EQ(end->reason, finish_reason::stop);
  EXPECT_EQ(end->stop_text, "cd");
}

TEST(Continuation, LooksForNoStopStringBeforeTheLeastTokens) {
  auto rules = with_credit();
  rules.stop = {"a"};
  rules.min_tokens = 3;
  auto stream = stream_with(rules);
  stream.accept(step(0, "aabab"));
  EXPECT_EQ(stream.take_piece()->text, "aab");
  EXPECT_EQ(stream.take_end()->stop_text, "a");
}

TEST(Continuation, NamesTheStopTokenAndKeepsItsTextBack) {
  auto stream = stream_with();
  stream.accept(step(0, "ab!", finish_reason::stop));
  EXPECT_EQ(stream.take_piece()->text, "ab");
  EXPECT_EQ(stream.take_end()->stop_token, '!');
}

TEST(Continuation, LetsOnlyTheFirstEndCount) {
  auto stream = stream_with();
  stream.end(finish_reason::cancelled);
  stream.end(finish_reason::timeout);
  stream.accept(step(0, "a", finish_reason::length));
  EXPECT_FALSE(stream.take_piece());
  EXPECT_EQ(stream.take_end()->reason, finish_reason::cancelled);
  EXPECT_FALSE(stream.take_end());
}

TEST(Continuation, SendsTheEndAfterTheLastPiece) {
  const auto rules = with_credit(0);
  auto stream = stream_with(rules);
  stream.accept(step(0, "ab", finish_reason::length));
  EXPECT_FALSE(stream.take_end());
  stream.grant(1);
  EXPECT_TRUE(stream.take_piece());
  EXPECT_TRUE(stream.take_end());
}

TEST(Continuation, ReportsThePromptOnceThoughItIsComputedAgain) {
  auto spec = two_token_prompt();
  sampling_params sampling;
  sampling.prompt_logprobs = 0;
  spec.sampling = std::make_shared<const sampling_params>(sampling);
  continuation stream{spec, with_credit(), letters()};
  emission chunk;
  chunk.prompt_tokens = {{10, 0, {}}, {11, 0, {}}};
  stream.accept(chunk);
  stream.accept(chunk); // again, from its beginning
  chunk.prompt_first = 1;
  chunk.prompt_tokens = {{11, 0, {}}, {12, 0, {}}};
  stream.accept(chunk);
  const auto piece = stream.take_piece();
  ASSERT_EQ(piece->prompt_tokens.size(), 4U) << "the prompt's first token and three reports";
  EXPECT_EQ(piece->prompt_tokens[0].id, 1);
  EXPECT_EQ(piece->prompt_tokens[3].id, 12);
}

TEST(Continuation, EndsForNobodyWhoHasNotListenedYet) {
  auto stream = stream_with(with_credit(0));
  stream.end(finish_reason::error, "at once");
  EXPECT_FALSE(stream.take_end());
  stream.grant(1);
  EXPECT_TRUE(stream.take_end());
}

} // namespace
} // namespace troupe
