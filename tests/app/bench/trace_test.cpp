// Both forms of traces, what is wrong with them, and the published files where they are at hand.
#include "app/bench/trace.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace troupe {
namespace {

trace read(const std::string& text) {
  std::istringstream from(text);
  return read_trace(from, "t");
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const std::runtime_error& problem) {
    return problem.what();
  }
  return "was read";
}

constexpr auto heading = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

TEST(Trace, ReadsAzuresTable) {
  const trace found = read("TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
                           "2023-11-16 23:59:59.5000000,374,44\r\n"
                           "2023-11-17 00:00:01.7500000,396,109\r\n"
                           "2023-11-17 00:01:02,0,0");
  ASSERT_EQ(found.requests.size(), 3U);
  EXPECT_EQ(found.requests[0].at, 0);
  EXPECT_EQ(found.requests[0].input, 374U);
  EXPECT_EQ(found.requests[0].output, 44U);
  EXPECT_TRUE(found.requests[0].blocks.empty());
  EXPECT_NEAR(found.requests[1].at, 2.25, 1e-6);
  EXPECT_NEAR(found.requests[2].at, 62.5, 1e-6);
  EXPECT_EQ(found.requests[2].input, 1U);
}

TEST(Trace, FindsColumnsByTheirNames) {
  const trace found = read("GeneratedTokens,model,TIMESTAMP,ContextTokens\n"
                           "7,x,2024-05-10 00:00:00.009930+00:00,500\n");
  ASSERT_EQ(found.requests.size(), 1U);
  EXPECT_EQ(found.requests[0].input, 500U);
  EXPECT_EQ(found.requests[0].output, 7U);
}

TEST(Trace, ReadsMooncakesLines) {
  const trace found = read(
      "{\"timestamp\": 3000, \"input_length\": 513, \"output_length\": 5, \"hash_ids\": [4, 9]}\n"
      "\n"
      "{\"timestamp\": 1500, \"input_length\": 10, \"output_length\": 6}\n");
  ASSERT_EQ(found.requests.size(), 2U);
  EXPECT_EQ(found.requests[0].input, 10U);
  EXPECT_EQ(found.requests[0].at, 0);
  EXPECT_EQ(found.requests[1].at, 1.5);
  EXPECT_EQ(found.requests[1].output, 5U);
  EXPECT_EQ(found.requests[1].blocks, (std::vector<std::uint64_t>{4, 9}));
}

TEST(Trace, SaysWhereItIsWrong) {
  EXPECT_EQ(refusal(""), "t: holds no requests");
  EXPECT_EQ(refusal(heading), "t: holds no requests");
  EXPECT_EQ(refusal("a,b\n1,2\n"), "t:1: \"a,b\" has no column TIMESTAMP; a trace begins with "
                                   "TIMESTAMP,ContextTokens,GeneratedTokens or with a JSON object");
  const std::string table = heading;
  EXPECT_EQ(refusal(table + "2023-11-16 18:15:46,5\n"), "t:2: has 2 columns, and too few");
  EXPECT_EQ(refusal(table + "yesterday,5,5\n"),
            "t:2: TIMESTAMP is \"yesterday\"; it takes a time like 2023-11-16 18:15:46.68");
  EXPECT_EQ(
      refusal(table + "2023-13-16 18:15:46,5,5\n"),
      "t:2: TIMESTAMP is \"2023-13-16 18:15:46\"; it takes a time like 2023-11-16 18:15:46.68");
  EXPECT_EQ(refusal(table + "2023-11-16 18:15:46,-5,5\n"),
            "t:2: ContextTokens is \"-5\"; it takes 0 to 16777216");
  EXPECT_EQ(refusal(table + "2023-11-16 18:15:46,5,16777217\n"),
            "t:2: GeneratedTokens is 16777217; the most is 16777216");
}

TEST(Trace, SaysWhereALineOfJsonIsWrong) {
  const auto line = [](const std::string& fields) { return "{\"timestamp\":0," + fields + "}\n"; };
  const std::string lengths = "\"input_length\":513,\"output_length\":5";
  EXPECT_EQ(refusal("{\n"), "t:1: is not a JSON object");
  EXPECT_EQ(refusal(line(lengths) + "[]\n"), "t:2: is not a JSON object");
  EXPECT_EQ(refusal("{\"input_length\":1}"), "t:1: has no timestamp");
  EXPECT_EQ(refusal("{\"timestamp\":-1}"), "t:1: timestamp takes milliseconds from 0 on");
  EXPECT_EQ(refusal(line("\"input_length\":5")), "t:1: has no output_length");
  EXPECT_EQ(refusal(line("\"input_length\":1.5,\"output_length\":5")),
            "t:1: input_length takes 0 to 16777216");
  EXPECT_EQ(refusal(line(lengths + ",\"hash_ids\":[1]")),
            "t:1: hash_ids takes one number for each 512 tokens of input_length, 2");
  EXPECT_EQ(refusal(line(lengths + ",\"hash_ids\":[1,\"2\"]")),
            "t:1: hash_ids takes numbers from 0 on");
}

TEST(Trace, ReadsThePublishedFiles) {
  const std::string folder = TROUPE_SHARED "/data/traces/";
  const auto open = [&](const std::string& name) { return std::ifstream(folder + name); };
  std::ifstream azure = open("azure-llm-2023/AzureLLMInferenceTrace_conv.csv");
  std::ifstream mooncake = open("conversation_trace.jsonl");
  if (!azure || !mooncake) GTEST_SKIP() << "no traces in " << folder;
  const trace conversations = read_trace(azure, "azure");
  EXPECT_EQ(conversations.requests.size(), 19366U);
  EXPECT_NEAR(conversations.requests.back().at, 3501.721937, 1e-3);
  EXPECT_EQ(conversations.requests.front().input, 374U);
  const trace blocks = read_trace(mooncake, "mooncake");
  EXPECT_EQ(blocks.requests.size(), 12031U);
  EXPECT_EQ(blocks.requests.back().at, 3536.999);
  EXPECT_EQ(blocks.requests.front().blocks.size(), 14U);
}

} // namespace
} // namespace troupe
