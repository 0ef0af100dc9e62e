// What servers say about themselves: their models, their ids, their drafts.
#include "app/bench/served.hpp"
#include "app/bench/speculation.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(Served, IsTheFirstModelOrTheOneAskedFor) {
  constexpr auto body = R"({"object":"list","data":[{"id":"a"},{"id":"b","vocabulary":4096}]})";
  EXPECT_EQ(read_models(body, "")->name, "a");
  EXPECT_EQ(read_models(body, "")->vocabulary, 0U);
  EXPECT_EQ(read_models(body, "b")->vocabulary, 4096U);
  EXPECT_FALSE(read_models(body, "c"));
}

TEST(Served, TellsItsVocabularyInEitherPlace) {
  EXPECT_EQ(read_models(R"({"data":[{"id":"a","meta":{"n_vocab":32000}}]})", "")->vocabulary,
            32000U);
  EXPECT_EQ(read_models(R"({"data":[{"id":"a","meta":null}]})", "")->vocabulary, 0U);
  EXPECT_EQ(read_models(R"({"data":[{"id":"a","vocabulary":99999999999}]})", "")->vocabulary, 0U);
}

TEST(Served, IsNothingWhereTheAnswerIsNoListOfModels) {
  for (const char* body :
       {"", "[]", "{}", R"({"data":7})", R"({"data":[]})", R"({"data":[{}, 3]})"})
    EXPECT_FALSE(read_models(body, "")) << body;
}

TEST(Served, GivesTokenIdsOnceEach) {
  EXPECT_EQ(read_token_ids(R"({"count":4,"tokens":[9,3,9,5]})"),
            (std::vector<std::uint32_t>{3, 5, 9}));
  for (const char* body : {"", "{}", R"({"tokens":7})", R"({"tokens":[1,-1]})",
                           R"({"tokens":[{"id":1}]})", R"({"tokens":[99999999999]})"})
    EXPECT_TRUE(read_token_ids(body).empty()) << body;
}

constexpr auto page = "# TYPE vllm:spec_decode_num_drafts_total counter\n"
                      "vllm:spec_decode_num_drafts_total{model_name=\"a b\"} 10.0\n"
                      "vllm:spec_decode_num_draft_tokens_total{model_name=\"a\"} 40\n"
                      "vllm:spec_decode_num_accepted_tokens_total 20\n"
                      "vllm:spec_decode_num_accepted_tokens_per_pos_total{position=\"0\"} 9\n"
                      "vllm:spec_decode_num_accepted_tokens_per_pos_total{position=\"1\"} 8e0\n"
                      "vllm:spec_decode_num_drafts_created{model_name=\"a\"} 1.7e9\n"
                      "vllm:num_requests_running 3\n";

TEST(Speculation, IsReadFromThePageOfMetrics) {
  const auto found = read_speculation(page);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->drafts, 10U);
  EXPECT_EQ(found->draft_tokens, 40U);
  EXPECT_EQ(found->accepted_tokens, 20U);
  EXPECT_EQ(found->accepted_at, (std::map<std::uint32_t, std::uint64_t>{{0, 9}, {1, 8}}));
  EXPECT_FALSE(read_speculation("vllm:num_requests_running 3\n"));
  EXPECT_FALSE(read_speculation(""));
}

TEST(Speculation, IsWhatCameBetween) {
  const speculation_counters before{10, 40, 20, {{0, 9}}};
  const speculation_counters after{20, 80, 50, {{0, 18}, {1, 5}}};
  const auto found = speculation_between(before, after);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->drafts, 10U);
  EXPECT_EQ(found->acceptance_rate, 0.75);
  EXPECT_EQ(found->acceptance_length, 4);
  EXPECT_EQ(found->acceptance_at, (std::vector<double>{0.9, 0.5}));
  EXPECT_FALSE(speculation_between(before, before));
  EXPECT_FALSE(speculation_between(std::nullopt, after));
}

} // namespace
} // namespace troupe
