// Prompts and bodies as servers get them.
#include "app/bench/prompt_writer.hpp"
#include "app/bench/request_writer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>

namespace troupe {
namespace {

using nlohmann::json;

json prompt_of(const prompt_writer& writer, const std::vector<prompt_run>& runs) {
  std::string text;
  writer.append(runs, text);
  return json::parse(text);
}

std::vector<std::uint32_t> ids_of(const std::vector<prompt_run>& runs, std::uint64_t seed = 1) {
  return prompt_of(prompt_writer::of_ids(middle_of_vocabulary(4096), seed), runs);
}

TEST(PromptWriter, WritesExactlyAsManyIdsAsPlanned) {
  for (const std::uint32_t count : {1U, 2U, 511U, 5000U})
    EXPECT_EQ(ids_of({{run_source::own, 0, count}}).size(), count);
  EXPECT_EQ(ids_of({{run_source::prefix, 0, 10}, {run_source::own, 0, 5}}).size(), 15U);
}

TEST(PromptWriter, DrawsFromTheMiddleOfAVocabulary) {
  const auto ids = ids_of({{run_source::own, 0, 50'000}});
  EXPECT_GE(*std::min_element(ids.begin(), ids.end()), 512U);
  EXPECT_LT(*std::max_element(ids.begin(), ids.end()), 4096U - 512U);
  EXPECT_GT(std::set<std::uint32_t>(ids.begin(), ids.end()).size(), 3000U);
  EXPECT_EQ(middle_of_vocabulary(1), (std::vector<std::uint32_t>{0}));
}

TEST(PromptWriter, BeginsAlikeWhereRunsAreTheSameAndNowhereElse) {
  const auto longer = ids_of({{run_source::block, 4, 512}, {run_source::block, 5, 100}});
  const auto shorter = ids_of({{run_source::block, 4, 300}});
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
  const auto common = [&](const std::vector<std::uint32_t>& other) {
    return std::mismatch(other.begin(), other.end(), longer.begin()).first - other.begin();
  };
  EXPECT_LT(common(ids_of({{run_source::block, 3, 300}})), 4);
  EXPECT_LT(common(ids_of({{run_source::own, 4, 300}})), 4);
  EXPECT_LT(common(ids_of({{run_source::block, 4, 300}}, 2)), 4);
}

TEST(PromptWriter, WritesAWordForEachToken) {
  const std::string text = prompt_of(prompt_writer::of_words(1), {{run_source::own, 0, 200}});
  std::istringstream words(text);
  std::size_t count = 0;
  std::istringstream known_words{std::string(prompt_words())};
  const std::set<std::string> known{std::istream_iterator<std::string>(known_words), {}};
  for (std::string word; words >> word; ++count) EXPECT_TRUE(known.contains(word)) << word;
  EXPECT_EQ(count, 200U);
  EXPECT_NE(text.back(), ' ');
}

TEST(PromptWriter, RefusesToMakePromptsOfNothing) {
  EXPECT_THROW(prompt_writer::of_ids({}, 1), std::invalid_argument);
}

planned_request small_request() { return {0, {{run_source::own, 0, 3}}, 17}; }

TEST(RequestWriter, AsksForACompletionOfIds) {
  const request_writer writer({bench_endpoint::completions, "a \"model\"", true, ""},
                              prompt_writer::of_ids({5}, 1));
  EXPECT_EQ(json::parse(writer.body(small_request())),
            (json{{"model", "a \"model\""},
                  {"prompt", {5, 5, 5}},
                  {"max_tokens", 17},
                  {"ignore_eos", true},
                  {"stream", true},
                  {"stream_options", {{"include_usage", true}}}}));
}

TEST(RequestWriter, AsksForAChatOfWords) {
  const request_writer writer({bench_endpoint::chat, "m", false, ""}, prompt_writer::of_words(1));
  const json body = json::parse(writer.body(small_request()));
  EXPECT_FALSE(body.contains("ignore_eos"));
  ASSERT_EQ(body["messages"].size(), 1U);
  EXPECT_EQ(body["messages"][0]["role"], "user");
  const std::string content = body["messages"][0]["content"];
  EXPECT_EQ(std::count(content.begin(), content.end(), ' '), 2);
}

TEST(RequestWriter, LetsFurtherFieldsWin) {
  const request_writer writer(
      {bench_endpoint::completions, "m", true, R"({"temperature": 0, "ignore_eos": false})"},
      prompt_writer::of_ids({5}, 1));
  const json body = json::parse(writer.body(small_request()));
  EXPECT_EQ(body["temperature"], 0);
  EXPECT_EQ(body["ignore_eos"], false);
  EXPECT_EQ(body["max_tokens"], 17);
}

TEST(RequestWriter, RefusesFieldsThatThePlanDecides) {
  const auto refusal = [](const std::string& extra) -> std::string {
    try {
      request_writer({bench_endpoint::chat, "m", true, extra}, prompt_writer::of_words(1));
    } catch (const std::invalid_argument& problem) {
      return problem.what();
    }
    return "was taken";
  };
  EXPECT_EQ(refusal("{"), "is not a JSON object");
  EXPECT_EQ(refusal("[1]"), "is not a JSON object");
  EXPECT_EQ(refusal(R"({"max_tokens": 3})"), "may not hold max_tokens");
  EXPECT_EQ(refusal(R"({"stream": false})"), "may not hold stream");
}

} // namespace
} // namespace troupe
