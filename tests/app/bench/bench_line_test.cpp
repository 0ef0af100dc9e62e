// The command line of bench serve: what reaches the verb, and what is refused before.
#include "tests/app/run.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

outcome bench(std::vector<std::string> words, const environment_variables& variables = {}) {
  words.insert(words.begin(), {"bench", "serve"});
  return run(words, variables);
}

std::string refusal(const std::vector<std::string>& words) {
  const outcome result = bench(words);
  EXPECT_EQ(result.status, exit_usage);
  EXPECT_FALSE(result.bench);
  return result.err;
}

TEST(BenchLine, HandsEverythingOver) {
  const outcome result = bench({"--url",
                                "http://h:1",
                                "--model",
                                "m",
                                "--endpoint",
                                "chat",
                                "--requests",
                                "7",
                                "--concurrency",
                                "3",
                                "--rate",
                                "2.5",
                                "--burstiness",
                                "0.5",
                                "--warmup",
                                "2",
                                "--seed",
                                "9",
                                "--input",
                                "10",
                                "--output",
                                "20",
                                "--range-ratio",
                                "0.25",
                                "--prefix-tokens",
                                "5",
                                "--prefixes",
                                "4",
                                "--no-ignore-eos",
                                "--extra-body",
                                R"({"top_k": 1})",
                                "--goodput",
                                "ttft:1",
                                "--json",
                                "f",
                                "--per-request",
                                "--timeout",
                                "5s",
                                "--header",
                                "A: b"});
  ASSERT_TRUE(result.bench) << result.err;
  bench_serve_options wanted;
  wanted.server = {"http://h:1", "m", bench_endpoint::chat, "", {"A: b"}, milliseconds(5000)};
  wanted.load = {7, 3, 2.5, 0.5, 2, 9};
  wanted.lengths = {10, 20, 0.25, 5, 4};
  wanted.bodies = {false, 0, false, R"({"top_k": 1})"};
  wanted.results = {"ttft:1", "f", true};
  EXPECT_EQ(*result.bench, wanted);
  EXPECT_EQ(result.err, "");
}

TEST(BenchLine, HasDefaultsForAll) { EXPECT_EQ(*bench({}).bench, bench_serve_options{}); }

TEST(BenchLine, RefusesWrongValuesWithTheirLimits) {
  EXPECT_EQ(refusal({"--requests", "many"}),
            "--requests: \"many\" is not a whole number; it takes 0 to 10000000\n");
  EXPECT_EQ(refusal({"--range-ratio", "1.5"}),
            "--range-ratio: \"1.5\" is out of range; it takes 0 to 1\n");
  EXPECT_EQ(refusal({"--timeout", "5"}),
            "--timeout: \"5\" has no unit (ms, s, m, h); it takes 100ms to 24h\n");
  EXPECT_EQ(refusal({"--endpoint", "chats"}),
            "--endpoint: \"chats\" is not a choice; it takes completions or chat\n");
  EXPECT_EQ(refusal({"--url", "h:1"}),
            "--url: 'h:1' is not of the form http://host[:port][/path]\n");
  EXPECT_EQ(refusal({"--goodput", "ttft:x"}),
            "--goodput: gives ttft \"x\"; it takes milliseconds from 0 to 1000000000\n");
  EXPECT_EQ(refusal({"--extra-body", "{"}), "--extra-body: is not a JSON object\n");
  EXPECT_EQ(refusal({"--extra-body", R"({"prompt": "x"})"}), "--extra-body: may not hold prompt\n");
  EXPECT_EQ(refusal({"--concurency", "3"}),
            "--concurency: bench serve has no such flag; did you mean --concurrency?\n");
}

TEST(BenchLine, RefusesFlagsThatWouldDoNothing) {
  EXPECT_EQ(refusal({"--trace", "f", "--rate", "3", "--input", "5"}),
            "--rate: is not used with --trace, which has its own\n"
            "--input: is not used with --trace, which has its own\n");
  EXPECT_EQ(refusal({"--trace-speed", "3"}), "--trace-speed: needs --trace\n");
  EXPECT_EQ(refusal({"--burstiness", "3"}), "--burstiness: needs --rate\n");
  EXPECT_EQ(refusal({"--prefixes", "3"}), "--prefixes: needs --prefix-tokens\n");
  EXPECT_EQ(refusal({"--per-request"}), "--per-request: needs --json\n");
  EXPECT_EQ(refusal({"--text", "--vocabulary", "3"}),
            "--vocabulary: is not used where prompts are words\n");
}

TEST(BenchLine, RefusesHeadersThatAreNoneOrNotTheUsers) {
  for (const char* header : {"A", ": b", "A b: c", "Content-Length: 5", "HOST: x"})
    EXPECT_EQ(refusal({"--header", header}),
              "--header: \"" + std::string(header) +
                  "\" is not of the form \"Name: value\", or a header that the client writes "
                  "itself\n");
  EXPECT_EQ(bench({"--header", "A: b", "--header", "A: c,d"}).bench->server.headers,
            (std::vector<std::string>{"A: b", "A: c,d"}));
}

TEST(BenchLine, TakesTheKeyFromTheEnvironmentAndWarnsOfOneOnTheLine) {
  const environment_variables variables{{"OPENAI_API_KEY", "hush"}};
  EXPECT_EQ(bench({}, variables).bench->server.api_key, "hush");
  const outcome given = bench({"--api-key", "mine"}, variables);
  EXPECT_EQ(given.bench->server.api_key, "mine");
  EXPECT_EQ(given.err.find("warning: --api-key: "), 0U);
  EXPECT_EQ(given.err.find("mine"), std::string::npos);
}

TEST(BenchLine, ExplainsItselfAloneAndInItsFamily) {
  EXPECT_EQ(run({"bench"}).status, exit_done);
  EXPECT_NE(run({"bench"}).out.find("troupe bench serve: "), std::string::npos);
  EXPECT_EQ(run({"bench", "serve", "--help"}).out, run({"help", "bench", "serve"}).out);
  EXPECT_EQ(run({"bench", "srve"})
                .err.find("troupe: bench srve is not a verb; did you mean bench serve?\n"),
            0U);
  const outcome group = run({"bench", "serve", "--help=load"});
  EXPECT_NE(group.out.find("takes 0 to 100000; default 0"), std::string::npos) << group.out;
  EXPECT_EQ(group.out.find("TROUPE_"), std::string::npos);
}

} // namespace
} // namespace troupe
