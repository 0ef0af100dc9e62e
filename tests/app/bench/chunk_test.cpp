// Chunks of streams and refusals, as several servers spell them.
#include "app/bench/chunk.hpp"
#include "app/bench/json_scan.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using member_list = std::vector<std::pair<std::string, std::string>>;

std::pair<member_list, bool> members_of(std::string_view text) {
  json_members members(text);
  member_list out;
  while (members.next()) out.emplace_back(members.name(), members.value());
  return {out, members.sound()};
}

TEST(JsonScan, FindsMembersWithTheirWholeValues) {
  const auto [found, sound] = members_of(
      R"( { "a" : [1,{"x":"]"}], "b":"q\"}{" ,"c":{"d":{}},"e":-1.5e3, "f":null,"g":true } )");
  EXPECT_TRUE(sound);
  EXPECT_EQ(found, (member_list{{"a", R"([1,{"x":"]"}])"},
                                {"b", R"("q\"}{")"},
                                {"c", R"({"d":{}})"},
                                {"e", "-1.5e3"},
                                {"f", "null"},
                                {"g", "true"}}));
  EXPECT_TRUE(members_of("{}").second);
}

TEST(JsonScan, NoticesWhereTextIsNoObject) {
  for (const char* text :
       {"", "{", "[]", "x", "\"a\"", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{\"a\":\"x}",
        "{\"a\":[1}", "{a:1}", "{\"a\":1}}", "{\"a\":1} x", "{\"a\":1 \"b\":2}"})
    EXPECT_FALSE(members_of(text).second) << text;
}

TEST(JsonScan, DoesNotMindDepth) {
  const std::string deep(200'000, '[');
  EXPECT_FALSE(members_of("{\"a\":" + deep).second);
  EXPECT_TRUE(members_of("{\"a\":" + deep + std::string(200'000, ']') + "}").second);
}

TEST(JsonScan, TakesTheFirstElementOfAnArray) {
  EXPECT_EQ(first_element(R"([ {"a":[1,2]} , 3])"), R"({"a":[1,2]})");
  EXPECT_EQ(first_element("[7]"), "7");
  EXPECT_EQ(first_element("[]"), "");
  EXPECT_EQ(first_element("[ ]"), "");
  EXPECT_EQ(first_element("{}"), "");
}

TEST(Chunk, OfACompletionBringsText) {
  const chunk_facts found = read_chunk(
      R"({"id":"x","choices":[{"index":0,"text":" a","logprobs":null,"finish_reason":null}],"usage":null})");
  EXPECT_TRUE(found.sound && found.choice && found.content);
  EXPECT_FALSE(found.finish || found.usage);
  EXPECT_EQ(found.error, "");
}

TEST(Chunk, OfAChatBringsContentThoughtsOrToolCalls) {
  const auto content = [](const std::string& delta) {
    return read_chunk(R"({"choices": [{"delta": )" + delta + R"(, "finish_reason": null}]})");
  };
  EXPECT_TRUE(content(R"({"content":"a"})").content);
  EXPECT_TRUE(content(R"({"role":"assistant","content":null,"reasoning_content":"hm"})").content);
  EXPECT_TRUE(content(R"({"reasoning":"hm"})").content);
  EXPECT_TRUE(content(R"({"tool_calls":[{"index":0}]})").content);
  EXPECT_FALSE(content(R"({"role":"assistant","content":""})").content);
  EXPECT_FALSE(content(R"({"tool_calls":[]})").content);
  EXPECT_FALSE(content("{}").content);
  EXPECT_TRUE(content("{}").choice);
}

TEST(Chunk, AtTheEndBringsAReasonAndUsage) {
  const chunk_facts last = read_chunk(R"({"choices":[{"delta":{},"finish_reason":"length"}]})");
  EXPECT_TRUE(last.finish);
  EXPECT_FALSE(last.content);
  const chunk_facts usage = read_chunk(
      R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":35,"prompt_tokens_details":{"cached_tokens":8}}})");
  EXPECT_FALSE(usage.choice);
  ASSERT_TRUE(usage.usage);
  EXPECT_EQ(usage.usage->prompt, 12U);
  EXPECT_EQ(usage.usage->completion, 35U);
  EXPECT_EQ(usage.usage->cached, 8U);
  EXPECT_FALSE(read_chunk(R"({"usage":{"prompt_tokens":12}})").usage);
  EXPECT_EQ(read_chunk(R"({"usage":{"prompt_tokens":1,"completion_tokens":2}})").usage->cached, 0U);
}

TEST(Chunk, TellsOfErrors) {
  EXPECT_EQ(read_chunk(R"({"error":{"message":"out of memory","type":"server_error"}})").error,
            "out of memory");
  EXPECT_EQ(read_chunk(R"({"error":null,"choices":[]})").error, "");
  EXPECT_FALSE(read_chunk("[1]").sound);
}

TEST(MessageOfError, IsFoundInTheShapesThatServersUse) {
  EXPECT_EQ(message_of_error(R"({"error":{"message":"too long"}})"), "too long");
  EXPECT_EQ(message_of_error(R"({"error":"too long"})"), "too long");
  EXPECT_EQ(message_of_error(R"({"object":"error","message":"too long"})"), "too long");
  EXPECT_EQ(message_of_error(R"({"detail":"Not Found"})"), "Not Found");
  EXPECT_EQ(message_of_error(R"({"detail":[{"loc":["body"]}]})"), R"([{"loc":["body"]}])");
  EXPECT_EQ(message_of_error("Bad Gateway\r\n"), "Bad Gateway");
  EXPECT_EQ(message_of_error(""), "");
  EXPECT_EQ(message_of_error("\x1b[2J"), "\\x1b[2J");
  EXPECT_LT(message_of_error(std::string(5000, 'x')).size(), 400U);
  EXPECT_EQ(message_of_error(std::string(100'000, '[')).substr(0, 3), "[[[");
}

} // namespace
} // namespace troupe
