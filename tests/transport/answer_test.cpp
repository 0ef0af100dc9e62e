// Answers as clients read them: the objects of OpenAI's API, key by key.
#include "transport/api/chunk_writer.hpp"
#include "transport/api/usage.hpp"
#include "transport/api/whole_answer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace troupe {
namespace {

answer_head head_of(api_shape shape, bool logprobs = false) {
  answer_head head;
  head.id = "id-1";
  head.created = 7;
  head.model = "m";
  head.shape = shape;
  head.logprobs = logprobs;
  return head;
}

delta token_delta(const std::string& text) {
  delta part;
  part.text = text;
  part.tokens = {{5, -0.5F, {{5, -0.5F}, {6, -std::numeric_limits<float>::infinity()}}}};
  part.spellings = {{text, {text, "\xFF"}}};
  return part;
}

finished end_of(finish_reason reason) {
  finished end;
  end.reason = reason;
  end.usage = {3, 1, 2};
  return end;
}

TEST(ChunkWriter, WritesChatChunksAsOpenAiDoes) {
  chunk_writer writer(head_of(api_shape::chat), 1);
  const std::string prefix =
      R"({"id":"id-1","object":"chat.completion.chunk","created":7,"model":"m","choices":)";
  EXPECT_EQ(
      writer.role(0),
      prefix +
          R"([{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]})");
  delta part;
  part.text = "a\"\n";
  EXPECT_EQ(
      writer.content(std::move(part)),
      prefix +
          R"([{"index":0,"delta":{"content":"a\"\n"},"logprobs":null,"finish_reason":null}]})");
  EXPECT_EQ(
      writer.finish(end_of(finish_reason::length)),
      prefix +
          R"([{"index":0,"delta":{},"logprobs":null,"stop_reason":null,"finish_reason":"length"}]})");
  EXPECT_EQ(writer.usage({3, 1, 2}),
            prefix + R"([],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,)"
                     R"("prompt_tokens_details":{"cached_tokens":1}}})");
}

TEST(ChunkWriter, SaysNullUsageInEveryChunkWhereItComesLast) {
  auto head = head_of(api_shape::completions);
  head.include_usage = true;
  chunk_writer writer(head, 1);
  EXPECT_TRUE(writer.role(0).empty());
  EXPECT_TRUE(json::parse(writer.content({}))["usage"].is_null());
  EXPECT_TRUE(json::parse(writer.content({})).contains("usage"));
}

TEST(ChunkWriter, TellsLogprobsWithBytes) {
  chunk_writer writer(head_of(api_shape::chat, true), 1);
  const json chunk = json::parse(writer.content(token_delta("h")));
  const json expected =
      json::parse(R"({"content":[{"token":"h","logprob":-0.5,"bytes":[104],"top_logprobs":[
      {"token":"h","logprob":-0.5,"bytes":[104]},{"token":"\ufffd","logprob":-9999.0,"bytes":[255]}]}],"refusal":null})");
  EXPECT_EQ(chunk["choices"][0]["logprobs"], expected);
}

TEST(ChunkWriter, CountsTextOffsetsInCharacters) {
  chunk_writer writer(head_of(api_shape::completions, true), 1);
  (void)writer.content(token_delta("\xC3\xA4\xC3\xB6"));
  const json chunk = json::parse(writer.content(token_delta("x")));
  EXPECT_EQ(chunk["choices"][0]["logprobs"]["text_offset"], json::parse("[2]"));
  EXPECT_EQ(chunk["choices"][0]["logprobs"]["tokens"], json::parse(R"(["x"])"));
}

TEST(WholeAnswer, JoinsWhatCame) {
  whole_answer answer(head_of(api_shape::chat, true), 2);
  answer.add(token_delta("a"));
  answer.add(token_delta("b"));
  auto end = end_of(finish_reason::stop);
  end.stop_text = "STOP";
  answer.add(std::move(end));
  auto other = end_of(finish_reason::cancelled);
  other.choice = 1;
  answer.add(std::move(other));
  const json body = json::parse(answer.write({3, 1, 2}));
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["choices"][0]["message"],
            json::parse(R"({"role":"assistant","content":"ab","refusal":null})"));
  EXPECT_EQ(body["choices"][0]["logprobs"]["content"].size(), 2U);
  EXPECT_EQ(body["choices"][0]["stop_reason"], "STOP");
  EXPECT_EQ(body["choices"][1]["finish_reason"], "abort");
  EXPECT_EQ(body["usage"]["total_tokens"], 5);
}

TEST(WholeAnswer, PutsTheEchoedPromptBeforeTheText) {
  auto head = head_of(api_shape::completions, true);
  head.echo_logprobs = true;
  whole_answer answer(head, 1);
  delta part = token_delta("b");
  part.text = "ab";
  part.prompt_tokens = {{1, std::nanf(""), {}}};
  part.prompt_spellings = {{"a", {}}};
  answer.add(std::move(part));
  answer.add(end_of(finish_reason::stop));
  const json logprobs = json::parse(answer.write({}))["choices"][0]["logprobs"];
  EXPECT_EQ(logprobs["tokens"], json::parse(R"(["a","b"])"));
  EXPECT_TRUE(logprobs["token_logprobs"][0].is_null());
  EXPECT_EQ(logprobs["text_offset"], json::parse("[0,1]"));
}

TEST(Usage, CountsAPromptOnceHoweverOftenItWasContinued) {
  token_usage total;
  for (std::uint32_t choice = 0; choice < 4; ++choice) add_usage(total, {10, 4, 1}, choice, 2);
  EXPECT_EQ(total.prompt, 20U);
  EXPECT_EQ(total.cached, 8U);
  EXPECT_EQ(total.completion, 4U);
}

} // namespace
} // namespace troupe
