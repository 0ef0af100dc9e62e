// What goes wrong for one must not be seen by the others: clients that leave, engines that die,
// requests that fail.
#include "tests/system/requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace troupe {
namespace {

TEST(Faults, ClientsThatLeaveGiveTheirBlocksBack) {
  auto chosen = test_company::defaults();
  chosen.engine.max_sequences = 64; // the others wait: some leave while they are queued
  test_company server(chosen, std::chrono::microseconds(200));
  const auto requests = scripted_requests(200, 150);
  std::mt19937 random(5);
  crowd clients(server.port());
  std::vector<bool> leaves;
  for (const auto& request : requests) {
    auto sent = request.over_http();
    leaves.push_back(random() % 2 == 0);
    if (leaves.back()) sent.leaves_after = random() % 3 == 0 ? 0 : random() % 100;
    clients.add(std::move(sent));
  }
  clients.run(std::chrono::seconds(120));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!leaves[i]) {
      EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
      continue;
    }
    const auto whole = server.text(requests[i].prompt, requests[i].seed, requests[i].tokens);
    // A character may be whole at the end only with later tokens.
    EXPECT_TRUE(whole.starts_with(clients.at(i).text())) << i;
  }
  EXPECT_TRUE(server.comes_to_rest());
  EXPECT_EQ(server.metric("vllm:kv_cache_usage_perc"), 0);
  EXPECT_EQ(server.metric("troupe:kv_blocks_without_owner"), 0);
  EXPECT_EQ(server.engines_made(), 1);
}

TEST(Faults, ClientsThatLeaveWhileQueuedAreForgotten) {
  auto chosen = test_company::defaults();
  chosen.engine.max_sequences = 1;
  test_company server(chosen, std::chrono::milliseconds(2));
  const auto requests = scripted_requests(60, 300);
  crowd clients(server.port());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto sent = requests[i].over_http();
    if (i > 0) sent.leaves_after = 0;
    clients.add(std::move(sent));
  }
  clients.run(std::chrono::seconds(60));
  EXPECT_TRUE(is_right(clients.at(0), requests[0], server));
  EXPECT_TRUE(server.comes_to_rest());
  // Of those who left hardly any was run, let alone to its end.
  EXPECT_LT(server.metric("vllm:generation_tokens_total"), 600);
}

// Each engine dies in the middle of a step, after a number of steps that differs.
TEST(Faults, StreamsSurviveTheDeathsOfTheirEngine) {
  auto chosen = test_company::defaults();
  chosen.lifecycle.max_restarts = 100;
  const std::vector<std::uint64_t> lifetimes{37, 90, 3, 151, 60};
  test_company server(chosen, std::chrono::milliseconds(2), {}, 0, lifetimes);
  const auto requests = scripted_requests(200, 900);
  crowd clients(server.port());
  for (const auto& request : requests) clients.add(request.over_http());
  clients.run(std::chrono::seconds(120));
  for (std::size_t i = 0; i < requests.size(); ++i)
    EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
  EXPECT_EQ(server.engines_made(), static_cast<int>(lifetimes.size()) + 1);
  EXPECT_EQ(server.metric("troupe:engine_restarts_total"), lifetimes.size());
  EXPECT_TRUE(server.comes_to_rest());
}

TEST(Faults, RequestsEndWithAnErrorWhenTheEngineCannotBeKeptAlive) {
  auto chosen = test_company::defaults();
  chosen.lifecycle.max_restarts = 1;
  test_company server(chosen, std::chrono::milliseconds(2));
  const auto requests = scripted_requests(20, 2000);
  crowd clients(server.port());
  for (const auto& request : requests) clients.add(request.over_http());
  int killed = 0;
  clients.run(std::chrono::seconds(60), [&] {
    if (killed == server.engines_made()) return true;
    const bool all_speak = [&] {
      for (std::size_t i = 0; i < clients.size(); ++i)
        if (clients.at(i).events == 0) return false;
      return true;
    }();
    if (!all_speak) return true;
    server.kill_executor();
    ++killed;
    return true;
  });
  EXPECT_EQ(clients.open(), 0U);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_FALSE(clients.at(i).error.empty()) << i;
    EXPECT_TRUE(
        server.text(requests[i].prompt, requests[i].seed, 2000).starts_with(clients.at(i).text()))
        << i;
  }
  crowd later(server.port());
  later.add(requests[0].over_http());
  later.add({"/health", {}, {}, {}, true});
  later.run(std::chrono::seconds(20));
  EXPECT_EQ(later.at(0).status, 503);
  EXPECT_EQ(later.at(1).status, 503);
}

TEST(Faults, APoisonedRequestFailsAlone) {
  auto requests = scripted_requests(50, 60);
  const std::size_t sick = 17;
  test_company server(test_company::defaults(), std::chrono::microseconds(500), requests[sick].seed,
                      7);
  requests[sick].stream = false;
  crowd clients(server.port());
  for (const auto& request : requests) clients.add(request.over_http());
  clients.run(std::chrono::seconds(60));
  EXPECT_EQ(clients.at(sick).status, 500);
  EXPECT_FALSE(clients.at(sick).error.empty());
  EXPECT_EQ(clients.at(sick).error.find("poisoned"),
            std::string::npos); // an inner word is not for clients
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (i == sick) continue;
    EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
  }
  EXPECT_EQ(server.engines_made(), 1);
  EXPECT_TRUE(server.comes_to_rest());
}

TEST(Faults, AStreamThatFailsSaysSoBehindWhatItSaid) {
  const auto requests = scripted_requests(1, 60);
  test_company server(test_company::defaults(), std::chrono::microseconds(500), requests[0].seed,
                      7);
  crowd clients(server.port());
  clients.add(requests[0].over_http());
  clients.run(std::chrono::seconds(60));
  auto& got = clients.at(0);
  EXPECT_EQ(got.status, 200);
  EXPECT_FALSE(got.error.empty());
  EXPECT_FALSE(got.done);
  EXPECT_TRUE(server.text(requests[0].prompt, requests[0].seed, 60).starts_with(got.text()));
  EXPECT_GT(got.text().size(), 0U);
}

// A pattern of repetitions behind each other over a run of one pair reaches the tokenizer's limit
// on its steps, which it throws.
TEST(Faults, APromptThatCannotBePreparedFailsAlone) {
  const testing::temporary_folder folder;
  write_slim_model(folder);
  auto tokens = nlohmann::json::parse(std::ifstream(folder.path() / "tokenizer.json"));
  auto& pattern = tokens["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"];
  pattern = "(?:qw)+(?:qw)+(?:qw)+!|" + pattern.get<std::string>();
  folder.write("tokenizer.json", tokens.dump());
  auto chosen = test_company::defaults();
  chosen.model.path = folder.path();
  test_company server(chosen, std::chrono::microseconds(500));
  const auto requests = scripted_requests(30, 60);
  crowd clients(server.port());
  for (const auto& request : requests) clients.add(request.over_http());
  std::string prompt;
  while (prompt.size() < 4000) prompt += "qw";
  const auto sick = clients.add(
      {"/v1/completions", R"({"prompt":")" + prompt + R"(","max_tokens":4})", {}, {}, true});
  clients.run(std::chrono::seconds(60));
  EXPECT_EQ(clients.at(sick).status, 500);
  EXPECT_FALSE(clients.at(sick).error.empty());
  for (std::size_t i = 0; i < requests.size(); ++i)
    EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
  EXPECT_TRUE(server.comes_to_rest());
}

// Too few blocks, clients that leave, a poisoned request, and an engine that dies, all in one.
TEST(Faults, LoadSurvivesEverythingAtOnce) {
  for (std::uint64_t round = 1; round <= 4; ++round) {
    auto chosen = test_company::defaults();
    chosen.engine.max_sequences = 64;
    chosen.engine.kv_memory = 700 * 2048; // 700 blocks
    chosen.lifecycle.max_restarts = 100;
    auto requests = scripted_requests(300, 250, round);
    constexpr std::size_t sick = 40;
    test_company server(chosen, std::chrono::microseconds(700), requests[sick].seed, 9);
    std::mt19937 random(static_cast<unsigned>(round));
    crowd clients(server.port());
    std::vector<bool> leaves;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto sent = requests[i].over_http();
      leaves.push_back(random() % 3 == 0);
      if (leaves.back()) sent.leaves_after = random() % 60;
      clients.add(std::move(sent));
    }
    int killed = 0;
    const auto begin = crowd::clock::now();
    clients.run(std::chrono::seconds(120), [&] {
      const bool time =
          crowd::clock::now() > begin + (killed + 1) * std::chrono::milliseconds(150 + 40 * round);
      if (killed < 3 && killed < server.engines_made() && time) {
        server.kill_executor();
        ++killed;
      }
      return true;
    });
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto whole = server.text(requests[i].prompt, requests[i].seed, requests[i].tokens);
      if (leaves[i] || i == sick) {
        EXPECT_TRUE(whole.starts_with(clients.at(i).text())) << i;
      } else {
        EXPECT_TRUE(is_right(clients.at(i), requests[i], server)) << i;
      }
    }
    EXPECT_TRUE(server.comes_to_rest()) << round;
    EXPECT_EQ(server.engines_made(), killed + 1);
    EXPECT_EQ(server.metric("troupe:kv_blocks_without_owner"), 0);
  }
}

} // namespace
} // namespace troupe
