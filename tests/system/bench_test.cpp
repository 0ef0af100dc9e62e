// The program measuring: itself, which must count what it was asked for, and servers that fail.
#include "tests/model/model_folder.hpp"
#include "tests/system/serving.hpp"
#include "tests/transport/scripted_server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <sstream>
#include <thread>

namespace troupe {
namespace {

using nlohmann::json;

struct measured {
  int status = -1;
  std::string out;
  std::string err;
  json numbers; ///< of --json
};

/// Runs bench serve against this address, with its numbers in a file.
measured bench(const std::string& url, std::vector<std::string> flags) {
  const testing::temporary_folder folder;
  const std::string file = folder.path() / "numbers.json";
  std::vector<std::string> words{"bench", "serve", "--url", url, "--json", file, "--per-request"};
  words.insert(words.end(), flags.begin(), flags.end());
  child process(words);
  measured found;
  found.status = process.wait(std::chrono::minutes(3)).value_or(-1);
  found.out = process.out();
  found.err = process.err();
  std::ifstream written(file);
  found.numbers = json::parse(written, nullptr, false);
  return found;
}

std::string url_of(const serving& server) {
  return fmt::format("http://127.0.0.1:{}", server.port());
}

/// The value behind a label of the block, or "" where it is not there.
std::string in_block(const std::string& block, const std::string& label) {
  std::istringstream lines(block);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(label)) return line.substr(line.find_first_not_of(' ', label.size()));
  return {};
}

/// The sum of a metric's samples.
double metric(const serving& server, const std::string& name) {
  std::istringstream lines(server.client().get("/metrics").body);
  double sum = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + "{")) sum += std::stod(line.substr(line.rfind(' ')));
  return sum;
}

void expect_ordered(const json& numbers) {
  for (const std::string name : {"ttft", "tpot", "itl", "e2el"}) {
    double before = 0;
    for (const std::string part : {"min", "median", "p90", "p95", "p99", "max"}) {
      const double value = numbers.at(part + "_" + name + "_ms");
      EXPECT_GE(value, before) << part << ' ' << name;
      before = value;
    }
    EXPECT_GE(numbers.at("mean_" + name + "_ms"), numbers.at("min_" + name + "_ms")) << name;
    EXPECT_LE(numbers.at("mean_" + name + "_ms"), numbers.at("max_" + name + "_ms")) << name;
  }
}

void expect_same(const std::string& block, const json& numbers) {
  const std::map<std::string, std::string> whole{
      {"Successful requests:", "completed"},
      {"Failed requests:", "failed"},
      {"Total input tokens:", "total_input_tokens"},
      {"Total generated tokens:", "total_output_tokens"}};
  for (const auto& [label, key] : whole)
    EXPECT_EQ(in_block(block, label), std::to_string(numbers.at(key).get<std::uint64_t>()))
        << label;
  const std::map<std::string, std::string> fractions{
      {"Benchmark duration (s):", "duration"},
      {"Request throughput (req/s):", "request_throughput"},
      {"Output token throughput (tok/s):", "output_throughput"},
      {"Peak output token throughput (tok/s):", "max_output_tokens_per_s"},
      {"Peak concurrent requests:", "max_concurrent_requests"},
      {"Median TTFT (ms):", "median_ttft_ms"},
      {"P90 TPOT (ms):", "p90_tpot_ms"},
      {"P99 ITL (ms):", "p99_itl_ms"},
      {"Mean E2EL (ms):", "mean_e2el_ms"}};
  for (const auto& [label, key] : fractions)
    EXPECT_EQ(in_block(block, label), fmt::format("{:.2f}", numbers.at(key).get<double>()))
        << label;
}

class BenchServe : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server = std::make_unique<serving>(std::vector<std::string>{"--kv-memory", "256MiB"});
    ASSERT_TRUE(server->ready()) << server->process().err();
  }
  static void TearDownTestSuite() { server.reset(); }

  static std::unique_ptr<serving> server;
};

std::unique_ptr<serving> BenchServe::server;

TEST_F(BenchServe, CountsTheTokensThatTheServerCounts) {
  const double prompts = metric(*server, "vllm:prompt_tokens_total");
  const double answers = metric(*server, "vllm:generation_tokens_total");
  const measured found =
      bench(url_of(*server), {"--requests", "40", "--concurrency", "8", "--input", "60", "--output",
                              "12", "--warmup", "4"});
  ASSERT_EQ(found.status, 0) << found.err;
  const json& numbers = found.numbers;
  EXPECT_EQ(numbers.at("completed"), 40);
  EXPECT_EQ(numbers.at("failed"), 0);
  EXPECT_EQ(numbers.at("total_input_tokens"), 40 * 60);
  EXPECT_EQ(numbers.at("total_output_tokens"), 40 * 12);
  EXPECT_EQ(numbers.at("answers_without_usage"), 0);
  EXPECT_EQ(numbers.at("output_lens"), json(std::vector<int>(40, 12)));
  EXPECT_EQ(numbers.at("prompts"), "ids");
  EXPECT_LE(numbers.at("max_concurrent_requests"), 8);
  EXPECT_GE(numbers.at("max_concurrent_requests"), 2);
  EXPECT_EQ(metric(*server, "vllm:prompt_tokens_total") - prompts, 44 * 60);
  EXPECT_EQ(metric(*server, "vllm:generation_tokens_total") - answers, 44 * 12);
  expect_ordered(numbers);
  expect_same(found.out, numbers);
  EXPECT_EQ(found.err.find("note:"), std::string::npos) << found.err;
}

TEST_F(BenchServe, AsksAtItsRateForLengthsFromTheirRange) {
  const measured found =
      bench(url_of(*server), {"--requests", "60", "--rate", "60", "--burstiness", "0.5", "--input",
                              "40", "--output", "8", "--range-ratio", "0.5", "--seed", "5"});
  ASSERT_EQ(found.status, 0) << found.err;
  const json& numbers = found.numbers;
  EXPECT_EQ(numbers.at("completed"), 60);
  EXPECT_GE(numbers.at("duration"), 1.0); // the last comes after 60 / 60 s
  std::set<int> lengths;
  for (const json& each : numbers.at("output_lens")) lengths.insert(each.get<int>());
  EXPECT_GE(*lengths.begin(), 4);
  EXPECT_LE(*lengths.rbegin(), 12);
  EXPECT_GT(lengths.size(), 4U);
  for (const json& late : numbers.at("queue_times")) EXPECT_GE(late, 0);
  EXPECT_EQ(in_block(found.out, "Request rate configured (RPS):"), "60.00");
}

TEST_F(BenchServe, FindsItsSharedPrefixesInTheServersCache) {
  const measured found =
      bench(url_of(*server), {"--requests", "20", "--concurrency", "1", "--input", "10", "--output",
                              "2", "--prefix-tokens", "128", "--prefixes", "2"});
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_EQ(found.numbers.at("total_input_tokens"), 20 * 138);
  EXPECT_EQ(found.numbers.at("total_cached_tokens"), 18 * 128);
}

TEST_F(BenchServe, ChatsInWords) {
  const measured found =
      bench(url_of(*server), {"--endpoint", "chat", "--requests", "10", "--concurrency", "4",
                              "--input", "30", "--output", "9", "--goodput", "e2el:100000"});
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_EQ(found.numbers.at("prompts"), "words");
  EXPECT_EQ(found.numbers.at("total_output_tokens"), 90);
  EXPECT_GE(found.numbers.at("total_input_tokens"), 300);
  EXPECT_EQ(found.numbers.at("request_goodput"), found.numbers.at("request_throughput"));
}

TEST_F(BenchServe, FollowsATraceAndSharesItsBlocks) {
  const testing::temporary_folder folder;
  folder.write(
      "trace.jsonl",
      R"({"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [1, 2]})"
      "\n"
      R"({"timestamp": 900000, "input_length": 700, "output_length": 7, "hash_ids": [1, 3]})"
      "\n");
  const measured found = bench(url_of(*server), {"--trace", folder.path() / "trace.jsonl",
                                                 "--trace-speed", "1000", "--concurrency", "1"});
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_EQ(found.numbers.at("input_lens"), (json{600, 700}));
  EXPECT_EQ(found.numbers.at("output_lens"), (json{5, 7}));
  EXPECT_EQ(found.numbers.at("total_cached_tokens"), 512);
  EXPECT_GE(found.numbers.at("start_times")[1], 0.9);
}

TEST_F(BenchServe, TellsWhyRequestsThatAreTooLongFail) {
  const measured found = bench(url_of(*server), {"--requests", "3", "--input", "4000"});
  EXPECT_EQ(found.status, 1);
  EXPECT_EQ(found.numbers.at("failed"), 3);
  ASSERT_EQ(found.numbers.at("failures").size(), 1U);
  const std::string reason = found.numbers.at("failures")[0].at("reason");
  EXPECT_EQ(reason.find("400 Bad Request: "), 0U) << reason;
  EXPECT_NE(found.err.find("why requests failed:\n       3  400 Bad Request: "), std::string::npos)
      << found.err;
}

TEST_F(BenchServe, WritesItsNumbersWhereTheyAreAskedFor) {
  child process({"bench", "serve", "--url", url_of(*server), "--requests", "2", "--output", "3",
                 "--json", "-"});
  EXPECT_EQ(process.wait(std::chrono::minutes(1)), 0) << process.err();
  const json numbers = json::parse(process.out());
  EXPECT_EQ(numbers.at("total_output_tokens"), 6);
  expect_same(process.err(), numbers);
}

constexpr auto models = R"({"data": [{"id": "broken", "vocabulary": 1000}]})";
constexpr auto word = R"(data: {"choices":[{"index":0,"text":"a","finish_reason":null}]})"
                      "\n\n";
constexpr auto finish = R"(data: {"choices":[{"index":0,"text":"","finish_reason":"length"}]})"
                        "\n\n";

/// What a server that is not ours says to a question before the measurement.
std::string introduction(const std::string& request) {
  if (request.starts_with("GET /v1/models ")) return plain_answer("200 OK", models);
  return plain_answer("404 Not Found", R"({"detail":"Not Found"})");
}

/// Which of the ways to answer this body gets, the same each time it comes.
std::size_t way_of(const std::string& body, std::size_t ways) {
  std::size_t sum = 0;
  for (const char c : body) sum = sum * 31 + static_cast<unsigned char>(c);
  return sum % 65'521 % ways;
}

TEST(BenchServeElsewhere, CountsFailuresByTheirReasons) {
  std::mutex guard;
  std::map<std::size_t, std::set<std::string>> bodies;
  scripted_server server([&](const std::string& request, auto& client) {
    if (request.starts_with("GET ")) {
      client.say(introduction(request));
      return true;
    }
    const std::string body = request.substr(request.find("\r\n\r\n"));
    const std::size_t way = way_of(body, 5);
    {
      const std::lock_guard lock(guard);
      bodies[way].insert(body);
    }
    if (way == 0) {
      client.say(plain_answer("503 Service Unavailable", R"({"error":{"message":"full"}})"));
      return true;
    }
    if (way == 1) return false;
    client.say(stream_head() + stream_chunk(word));
    if (way == 2) return false;
    if (way == 3)
      client.say(stream_chunk("data: {\"error\":{\"message\":\"lost\"}}\n\n"));
    else
      client.say(stream_chunk(word) + stream_chunk(std::string(finish) + "data: [DONE]\n\n"));
    client.say(stream_chunk(""));
    return true;
  });
  const measured found = bench(
      server.url(), {"--requests", "100", "--concurrency", "7", "--input", "5", "--output", "2"});
  EXPECT_EQ(found.status, 0) << found.err;
  ASSERT_EQ(bodies.size(), 5U);
  EXPECT_EQ(found.numbers.at("completed"), bodies[4].size());
  EXPECT_EQ(found.numbers.at("failed"), 100 - bodies[4].size());
  std::map<std::string, std::size_t> reasons;
  for (const json& each : found.numbers.at("failures")) {
    const std::string reason = each.at("reason");
    reasons[reason.substr(0, 12)] += each.at("count").get<std::size_t>();
  }
  EXPECT_EQ(reasons, (std::map<std::string, std::size_t>{{"503 Service ", bodies[0].size()},
                                                         {"no answer fr", bodies[1].size()},
                                                         {"the answer b", bodies[2].size()},
                                                         {"the stream r", bodies[3].size()}}));
  EXPECT_NE(found.err.find("503 Service Unavailable: full\n"), std::string::npos) << found.err;
  EXPECT_NE(found.err.find("the stream reported an error: lost\n"), std::string::npos) << found.err;
  // No usage was sent: deltas count.
  EXPECT_EQ(found.numbers.at("total_output_tokens"), 2 * bodies[4].size());
  EXPECT_NE(found.err.find("note: answers without usage from the server: "), std::string::npos)
      << found.err;
}

TEST(BenchServeElsewhere, MakesPromptsOfWordsWhereNoIdsAreKnown) {
  std::mutex guard;
  std::string body;
  scripted_server server([&](const std::string& request, auto& client) {
    if (request.starts_with("GET /v1/models ")) {
      client.say(plain_answer("200 OK", R"({"data":[{"id":"m"}]})"));
    } else if (request.starts_with("POST /v1/completions ")) {
      const std::lock_guard lock(guard);
      body = request.substr(request.find("\r\n\r\n") + 4);
      client.say(stream_head() + stream_chunk(std::string(finish) + "data: [DONE]\n\n") +
                 stream_chunk(""));
    } else {
      client.say(introduction(request));
    }
    return true;
  });
  const measured found = bench(server.url(), {"--requests", "1", "--input", "5"});
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_EQ(found.numbers.at("prompts"), "words");
  EXPECT_TRUE(json::parse(body).at("prompt").is_string()) << body;
}

TEST(BenchServeElsewhere, MakesPromptsOfTheIdsThatTheServerHasForWords) {
  std::mutex guard;
  std::vector<std::string> asked;
  scripted_server server([&](const std::string& request, auto& client) {
    const std::lock_guard lock(guard);
    asked.push_back(request);
    if (request.starts_with("GET /base/v1/models ")) {
      client.say(plain_answer("200 OK", R"({"data":[{"id":"m"}]})"));
    } else if (request.starts_with("POST /base/tokenize ")) {
      std::vector<int> ids(100);
      std::iota(ids.begin(), ids.end(), 7000);
      client.say(plain_answer("200 OK", json{{"tokens", ids}}.dump()));
    } else if (request.starts_with("POST /base/v1/completions ")) {
      client.say(stream_head() + stream_chunk(std::string(finish) + "data: [DONE]\n\n") +
                 stream_chunk(""));
    } else {
      client.say(plain_answer("404 Not Found", ""));
    }
    return true;
  });
  const measured found = bench(server.url() + "/base/v1", {"--requests", "1", "--input", "50",
                                                           "--api-key", "k", "--header", "X-A: b"});
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_EQ(found.numbers.at("prompts"), "ids");
  for (const std::string& request : asked) {
    EXPECT_NE(request.find("\r\nAuthorization: Bearer k\r\n"), std::string::npos) << request;
    EXPECT_NE(request.find("\r\nX-A: b\r\n"), std::string::npos) << request;
    if (!request.starts_with("POST /base/v1/completions ")) continue;
    const json body = json::parse(request.substr(request.find("\r\n\r\n")));
    const std::vector<int> prompt = body.at("prompt");
    EXPECT_EQ(prompt.size(), 50U);
    for (const int id : prompt) EXPECT_TRUE(id >= 7000 && id < 7100) << id;
  }
}

TEST(BenchServeElsewhere, StopsAtOnceWhereThereIsNoServerOrNoModel) {
  const std::string gone = fmt::format("http://127.0.0.1:{}", free_port());
  const measured nobody = bench(gone, {});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_EQ(nobody.out, "");
  EXPECT_EQ(nobody.err,
            fmt::format("troupe bench serve: cannot connect to {}: Connection refused\n",
                        gone.substr(7)));
  scripted_server silent([&](const std::string&, auto& client) {
    client.say(plain_answer("404 Not Found", R"({"detail":"Not Found"})"));
    return true;
  });
  EXPECT_EQ(bench(silent.url(), {}).err,
            "troupe bench serve: GET /v1/models: 404 Not Found; name the model with --model\n");
}

TEST(BenchServeElsewhere, ReportsWhatHadEndedWhenItIsInterrupted) {
  std::atomic<int> answered = 0;
  scripted_server server([&](const std::string& request, auto& client) {
    if (request.starts_with("GET ")) {
      client.say(introduction(request));
    } else if (++answered <= 3) {
      client.say(stream_head() + stream_chunk(word) +
                 stream_chunk(std::string(finish) + "data: [DONE]\n\n") + stream_chunk(""));
    } else {
      client.listen_to_the_end();
    }
    return true;
  });
  child process({"bench", "serve", "--url", server.url(), "--requests", "50", "--concurrency", "1",
                 "--output", "1"});
  // Two questions come first.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (server.requests() < 2 + 4 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  process.signal(SIGINT);
  EXPECT_EQ(process.wait(std::chrono::minutes(1)), 1) << process.err();
  EXPECT_EQ(in_block(process.out(), "Successful requests:"), "3");
  EXPECT_NE(process.err().find("note: interrupted; 3 of 50 requests had ended\n"),
            std::string::npos)
      << process.err();
}

} // namespace
} // namespace troupe
