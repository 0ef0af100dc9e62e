// The block, the notes and the JSON of a measurement made by hand.
#include "app/bench/report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace troupe {
namespace {

using nlohmann::json;

request_record answered(double sent, double ttft, std::vector<double> gaps) {
  request_record out;
  out.sent = sent;
  out.ttft = ttft;
  out.latency = ttft;
  for (const double gap : gaps) out.latency += gap;
  out.ended = sent + out.latency;
  out.input = out.planned_input = 100;
  out.output = out.planned_output = gaps.size() + 1;
  out.counted = true;
  out.gaps = std::move(gaps);
  return out;
}

bench_report report_of(std::vector<request_record> records, double duration = 2) {
  bench_report out;
  out.date = "2025-01-31T12:00:00Z";
  out.url = "http://x";
  out.endpoint = "completions";
  out.model = "m";
  out.prompts = "ids";
  out.seed = 42;
  out.requests = records.size();
  out.numbers = measure(records, duration, out.limits);
  out.records = std::move(records);
  return out;
}

bench_report small_report() {
  return report_of({answered(0, 0.1, {0.01, 0.03}), answered(0.5, 0.3, {0.02, 0.02})});
}

TEST(ResultBlock, HasTheLabelsAndTheLayoutThatPeopleKnow) {
  EXPECT_EQ(result_block(small_report()), "============ Serving Benchmark Result ============\n"
                                          "Successful requests:                     2\n"
                                          "Failed requests:                         0\n"
                                          "Benchmark duration (s):                  2.00\n"
                                          "Total input tokens:                      200\n"
                                          "Total generated tokens:                  6\n"
                                          "Request throughput (req/s):              1.00\n"
                                          "Output token throughput (tok/s):         3.00\n"
                                          "Peak output token throughput (tok/s):    6.00\n"
                                          "Peak concurrent requests:                1.00\n"
                                          "Total token throughput (tok/s):          103.00\n"
                                          "---------------Time to First Token----------------\n"
                                          "Mean TTFT (ms):                          200.00\n"
                                          "Median TTFT (ms):                        200.00\n"
                                          "P90 TTFT (ms):                           280.00\n"
                                          "P99 TTFT (ms):                           298.00\n"
                                          "-----Time per Output Token (excl. 1st token)------\n"
                                          "Mean TPOT (ms):                          20.00\n"
                                          "Median TPOT (ms):                        20.00\n"
                                          "P90 TPOT (ms):                           20.00\n"
                                          "P99 TPOT (ms):                           20.00\n"
                                          "---------------Inter-token Latency----------------\n"
                                          "Mean ITL (ms):                           20.00\n"
                                          "Median ITL (ms):                         20.00\n"
                                          "P90 ITL (ms):                            27.00\n"
                                          "P99 ITL (ms):                            29.70\n"
                                          "----------------End-to-end Latency----------------\n"
                                          "Mean E2EL (ms):                          240.00\n"
                                          "Median E2EL (ms):                        240.00\n"
                                          "P90 E2EL (ms):                           320.00\n"
                                          "P99 E2EL (ms):                           338.00\n"
                                          "==================================================\n");
}

TEST(ResultBlock, SaysWhatWasAskedFor) {
  bench_report report = small_report();
  report.concurrency = 8;
  report.rate = 2.5;
  report.limits = parse_goodput("ttft:200");
  report.numbers = measure(report.records, 2, report.limits);
  const std::string text = result_block(report);
  EXPECT_NE(text.find("Failed requests:                         0\n"
                      "Maximum request concurrency:             8\n"
                      "Request rate configured (RPS):           2.50\n"
                      "Benchmark duration"),
            std::string::npos);
  EXPECT_NE(text.find("\nRequest goodput (req/s):                 0.50\n"), std::string::npos);
  EXPECT_NE(text.find("\n---------------Client-side Queueing---------------\n"
                      "Mean Client Queue Time (ms):             250.00\n"),
            std::string::npos);
}

TEST(ResultBlock, TellsOfDrafts) {
  bench_report report = small_report();
  report.drafts = speculation{10, 40, 20, 0.5, 3, {0.9, 0.1}};
  EXPECT_NE(result_block(report).find("---------------Speculative Decoding---------------\n"
                                      "Acceptance rate (%):                     50.00\n"
                                      "Acceptance length:                       3.00\n"
                                      "Drafts:                                  10\n"
                                      "Draft tokens:                            40\n"
                                      "Accepted tokens:                         20\n"
                                      "Per-position acceptance (%):\n"
                                      "  Position 0:                            90.00\n"
                                      "  Position 1:                            10.00\n"
                                      "======"),
            std::string::npos);
}

TEST(ResultBlock, OfNothingIsAllZeros) {
  const std::string text = result_block(report_of({}, 0));
  EXPECT_NE(text.find("Request throughput (req/s):              0.00\n"), std::string::npos);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf"), std::string::npos);
}

TEST(ResultNotes, AreSilentWhereAllIsAsItShouldBe) { EXPECT_EQ(result_notes(small_report()), ""); }

TEST(ResultNotes, CountTheReasonsOfFailures) {
  std::vector<request_record> records{answered(0, 0.1, {0.1})};
  const auto fail = [&](const std::string& error) {
    records.push_back(answered(0, 0, {}));
    records.back().error = error;
  };
  for (int i = 0; i < 12; ++i) fail("503 Service Unavailable: full");
  for (int i = 0; i < 11; ++i) fail("reason " + std::to_string(10 + i));
  const std::string text = result_notes(report_of(records));
  EXPECT_EQ(text.find("why requests failed:\n"
                      "      12  503 Service Unavailable: full\n"
                      "       1  reason 10\n"),
            0U)
      << text;
  EXPECT_NE(text.find("       1  reason 18\n       2  for other reasons\n"), std::string::npos)
      << text;
}

TEST(ResultNotes, SayWhereNumbersAreNotWhatTheySeem) {
  std::vector<request_record> records{answered(0, 0.1, {0.1}), answered(0.5, 0.1, {0.1})};
  records[0].counted = false;
  records[1].input = 150;
  records[1].planned_output = 3;
  records[1].cached = 125;
  bench_report report = report_of(records);
  report.rate = 1;
  EXPECT_EQ(result_notes(report),
            "note: answers without usage from the server: 1; their tokens are counted as deltas, "
            "their prompts as planned\n"
            "note: prompts of 200 tokens were planned, and the server counts 250\n"
            "note: answers shorter than asked for, although they were to go on: 1\n"
            "note: 50.0 % of the input tokens were in the server's prefix cache\n"
            "note: this client was late: requests were sent up to 500.0 ms behind their time\n");
  report.ignores_eos = false;
  report.rate = 0;
  report.interrupted = true;
  report.requests = 9;
  const std::string text = result_notes(report);
  EXPECT_EQ(text.find("note: interrupted; 2 of 9 requests had ended\n"), 0U) << text;
  EXPECT_EQ(text.find("shorter"), std::string::npos);
  EXPECT_EQ(text.find("late"), std::string::npos);
}

TEST(ResultJson, AgreesWithTheBlock) {
  bench_report report = small_report();
  report.concurrency = 8;
  const json found = json::parse(result_json(report, false));
  EXPECT_EQ(found["completed"], 2);
  EXPECT_EQ(found["failed"], 0);
  EXPECT_EQ(found["max_concurrency"], 8);
  EXPECT_TRUE(found["request_rate"].is_null());
  EXPECT_EQ(found["total_output_tokens"], 6);
  EXPECT_EQ(found["output_throughput"], 3);
  EXPECT_NEAR(found["median_ttft_ms"], 200, 1e-9);
  EXPECT_NEAR(found["p99_itl_ms"], 29.7, 1e-9);
  EXPECT_NEAR(found["p90_e2el_ms"], 320, 1e-9);
  EXPECT_NEAR(found["mean_tpot_ms"], 20, 1e-9);
  EXPECT_EQ(found["seed"], 42);
  EXPECT_FALSE(found.contains("ttfts"));
  EXPECT_FALSE(found.contains("mean_client_queue_time_ms"));
}

TEST(ResultJson, ListsEachRequestWhereAsked) {
  std::vector<request_record> records{answered(0, 0.1, {0.25, 0.5}), answered(1, 0.2, {})};
  records[1].error = "bad \xff bytes";
  const json found = json::parse(result_json(report_of(records), true));
  EXPECT_EQ(found["ttfts"], (json{0.1, 0.2}));
  EXPECT_EQ(found["itls"], (json{{0.25, 0.5}, json::array()}));
  EXPECT_EQ(found["output_lens"], (json{3, 0}));
  EXPECT_EQ(found["start_times"], (json{0, 1}));
  EXPECT_EQ(found["errors"][0], "");
  EXPECT_EQ(found["failures"].size(), 1U);
}

} // namespace
} // namespace troupe
