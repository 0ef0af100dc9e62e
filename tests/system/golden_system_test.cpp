// What the program answers over HTTP against the reference's greedy continuations: alone, among
// many, on both endpoints, with and without the prefix cache.
#include "model/tokenizer/tokenizer.hpp"
#include "tests/system/crowd.hpp"
#include "tests/system/serving.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace troupe {
namespace {

using nlohmann::json;

struct golden_case {
  std::string prompt;
  std::string text; // without the token that ended it
  std::size_t tokens = 0;
  bool ends = false; // with the model's end of a turn
};

std::vector<golden_case> golden_cases() {
  const auto file = json::parse(std::ifstream(TROUPE_SOURCE "/tests/golden/concierge/golden.json"));
  const auto words = tokenizer::load(serving::example());
  std::vector<golden_case> out;
  for (const auto& each : file["cases"]) {
    const std::vector<token_id> ids = each["greedy_ids"];
    const bool ends = ids.back() == 2 || ids.back() == 0;
    out.push_back({each["prompt"], words.decode(ids, true), ids.size(), ends});
  }
  return out;
}

json completion(const golden_case& which) {
  return {{"prompt", which.prompt},
          {"max_tokens", which.tokens},
          {"temperature", 0},
          {"add_special_tokens", false},
          {"stream", false}};
}

class Golden : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server = std::make_unique<serving>();
    ASSERT_TRUE(server->ready()) << server->process().err();
  }
  static void TearDownTestSuite() { server.reset(); }

  static void check(crowd& clients, std::size_t number, const golden_case& which,
                    std::uint32_t n = 1) {
    auto& got = clients.at(number);
    ASSERT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(got.fault, "");
    EXPECT_EQ(got.texts.size(), n);
    for (std::uint32_t choice = 0; choice < n; ++choice) {
      EXPECT_EQ(got.texts[choice], which.text) << which.prompt;
      EXPECT_EQ(got.finish_reasons[choice], which.ends ? "stop" : "length");
    }
    EXPECT_EQ(got.completion_tokens, n * which.tokens);
  }

  static std::unique_ptr<serving> server;
};

std::unique_ptr<serving> Golden::server;

TEST_F(Golden, CompletionsAreTheReferences) {
  const auto cases = golden_cases();
  ASSERT_GE(cases.size(), 10U);
  for (const auto& which : cases) {
    crowd clients(server->port());
    clients.add({"/v1/completions", completion(which).dump(), {}, {}, true});
    clients.run(std::chrono::seconds(60));
    check(clients, 0, which);
  }
}

TEST_F(Golden, ChatsAreTheReferences) {
  std::size_t checked = 0;
  for (const auto& which : golden_cases()) {
    constexpr std::string_view before = "<|im_start|>user\n";
    constexpr std::string_view after = "<|im_end|>\n<|im_start|>assistant\n";
    if (!which.prompt.starts_with(before) || !which.prompt.ends_with(after)) continue;
    const auto question =
        which.prompt.substr(before.size(), which.prompt.size() - before.size() - after.size());
    if (question.find("<|im") != std::string::npos) continue;
    for (const bool stream : {false, true}) {
      json body = {{"messages", {{{"role", "user"}, {"content", question}}}},
                   {"max_tokens", which.tokens},
                   {"temperature", 0},
                   {"stream", stream}};
      if (stream) body["stream_options"] = {{"include_usage", true}};
      crowd clients(server->port());
      clients.add({"/v1/chat/completions", body.dump(), {}, {}, true});
      clients.run(std::chrono::seconds(60));
      check(clients, 0, which);
      ++checked;
    }
  }
  EXPECT_GE(checked, 4U);
}

TEST_F(Golden, SeveralChoicesAreAllTheSame) {
  for (const auto& which : golden_cases()) {
    auto body = completion(which);
    body["n"] = 3;
    crowd clients(server->port());
    clients.add({"/v1/completions", body.dump(), {}, {}, true});
    clients.run(std::chrono::seconds(60));
    check(clients, 0, which, 3);
  }
}

// Half of them streamed; later ones find the prompts of earlier ones in the cache.
void answer_sixty_four(std::uint16_t port,
                       const std::function<void(crowd&, std::size_t, const golden_case&)>& check,
                       std::uint32_t& cached) {
  const auto cases = golden_cases();
  for (int round = 0; round < 2; ++round) {
    crowd clients(port);
    for (std::size_t i = 0; i < 64; ++i) {
      auto body = completion(cases[i % cases.size()]);
      if (i % 2 == 0)
        body.update({{"stream", true}, {"stream_options", {{"include_usage", true}}}});
      clients.add({"/v1/completions", body.dump(), {}, {}, true});
    }
    clients.run(std::chrono::seconds(120));
    for (std::size_t i = 0; i < 64; ++i) {
      check(clients, i, cases[i % cases.size()]);
      cached += clients.at(i).cached_tokens;
    }
  }
}

TEST_F(Golden, LoadSixtyFourAtOnceGetWhatEachGetsAlone) {
  std::uint32_t cached = 0;
  answer_sixty_four(
      server->port(),
      [](crowd& clients, std::size_t number, const golden_case& which) {
        check(clients, number, which);
      },
      cached);
  EXPECT_GT(cached, 0U);
}

TEST_F(Golden, LoadSixtyFourAtOnceGetTheSameWithoutAPrefixCache) {
  serving plain({"--no-prefix-cache"});
  ASSERT_TRUE(plain.ready()) << plain.process().err();
  std::uint32_t cached = 0;
  answer_sixty_four(
      plain.port(),
      [](crowd& clients, std::size_t number, const golden_case& which) {
        check(clients, number, which);
      },
      cached);
  EXPECT_EQ(cached, 0U);
}

// So few blocks and rows that prompts are cut and sequences give their blocks away.
TEST_F(Golden, LoadSixtyFourAtOnceGetTheSameWhereThereIsHardlyAnyRoom) {
  serving narrow({"--kv-memory", "24MiB", "--step-tokens", "64", "--max-sequences", "48",
                  "--max-context", "1400"});
  ASSERT_TRUE(narrow.ready()) << narrow.process().err();
  std::uint32_t cached = 0;
  answer_sixty_four(
      narrow.port(),
      [](crowd& clients, std::size_t number, const golden_case& which) {
        check(clients, number, which);
      },
      cached);
}

} // namespace
} // namespace troupe
