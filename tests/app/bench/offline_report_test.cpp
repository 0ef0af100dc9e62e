// The numbers of `bench offline` out of what streams and scheduler said, and both ways to read
// them.
#include "app/bench/offline_report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace troupe {
namespace {

sequence_report sequence(std::uint32_t prompt, std::uint32_t completion, double first,
                         double decoding) {
  sequence_report out;
  out.reason = finish_reason::length;
  out.usage = {prompt, 16, completion};
  out.times = {0.01, first, first - 0.01, decoding, first + decoding + 0.001};
  return out;
}

step_report step(std::uint32_t rows, double device, double gap, double scheduler) {
  step_report out;
  out.batch_tokens = rows;
  out.device_seconds = device;
  out.gap_seconds = gap;
  out.scheduler_seconds = scheduler;
  return out;
}

offline_report counted() {
  offline_report out;
  out.model = "m";
  out.device = "d";
  out.work = {2, 2, 100, 4, 500, 9};
  out.places = 2;
  out.device_rates = {1e10, 1e11};
  out.cost = {1e6, 2e6, 0, 100, 0};
  out.limit.weights = 0.01;
  out.limit.sequences = 2;
  offline_outcome outcome;
  outcome.duration = 2;
  outcome.output_tokens = 8;
  outcome.sequences = {sequence(100, 4, 0.5, 0.3), sequence(100, 4, 0.7, 0.6)};
  outcome.steps = {step(150, 0.8, 0, 0.01), step(52, 0.4, 0.1, 0.01), step(2, 0.1, 0.1, 0.02),
                   step(2, 0.1, 0.1, 0.02), step(2, 0.1, 0.1, 0.02)};
  outcome.preemptions = 3;
  count_outcome(out, outcome);
  return out;
}

TEST(OfflineReport, CountsTokensAndTimes) {
  const offline_report report = counted();
  EXPECT_EQ(report.input_tokens, 200U);
  EXPECT_EQ(report.cached_tokens, 32U);
  EXPECT_EQ(report.output_tokens, 8U);
  EXPECT_DOUBLE_EQ(report.output_rate(), 4);
  EXPECT_DOUBLE_EQ(report.ttft.mean, 0.6);
  EXPECT_DOUBLE_EQ(report.tpot.mean, 0.15); // of three gaps each
  EXPECT_DOUBLE_EQ(report.e2el.highest, 1.301);
}

TEST(OfflineReport, SplitsTheTimeOfTheSteps) {
  const offline_report report = counted();
  EXPECT_EQ(report.steps, 5U);
  EXPECT_DOUBLE_EQ(report.computing.sum, 1.5);
  EXPECT_DOUBLE_EQ(report.computing.share, 0.75);
  EXPECT_DOUBLE_EQ(report.computing.each.median, 0.1);
  EXPECT_DOUBLE_EQ(report.gap.share, 0.2);
  EXPECT_DOUBLE_EQ(report.scheduler.share, 0.04);
  EXPECT_DOUBLE_EQ(report.rows_a_step, 208.0 / 5);
  EXPECT_DOUBLE_EQ(report.tokens_a_step, 1.6);
  EXPECT_DOUBLE_EQ(report.occupancy, 0.8);
  EXPECT_EQ(report.preemptions, 3U);
}

TEST(OfflineReport, SaysWhatPartOfTheRooflineIsReached) {
  EXPECT_DOUBLE_EQ(counted().reached(), 4.0 / 200);
}

TEST(OfflineReport, HasNoTimesBetweenTokensWhereAnswersAreOne) {
  offline_report report;
  report.places = 1;
  offline_outcome outcome;
  outcome.duration = 1;
  outcome.sequences = {sequence(10, 1, 0.5, 0)};
  count_outcome(report, outcome);
  EXPECT_EQ(report.tpot.count, 0U);
  EXPECT_EQ(report.ttft.count, 1U);
}

TEST(OfflineReport, IsATableForPeople) {
  EXPECT_EQ(offline_text(counted()),
            "requests    2 in 2.00 s: 1.00 a second\n"
            "tokens out  8: 4.00 a second\n"
            "in and out  208: 104.00 a second\n"
            "cached      32 tokens of prompts\n"
            "\n"
            "ms                  mean      median         p90         p99        most\n"
            "TTFT              600.00      600.00      680.00      698.00      700.00\n"
            "TPOT              150.00      150.00      190.00      199.00      200.00\n"
            "E2E              1051.00     1051.00     1251.00     1296.00     1301.00\n"
            "\n"
            "ms a step           mean      median         p99      sum, s of the time\n"
            "device           300.000     100.000     784.000        1.50      75.0 %\n"
            "gap               80.000     100.000     100.000        0.40      20.0 %\n"
            "scheduler         16.000      20.000      20.000        0.08       4.0 %\n"
            "steps       5, of 41.6 rows\n"
            "batch       1.60 of 2 sequences got a token in a step (80.0 %); 3 preemptions\n"
            "\n"
            "yardsticks  10.0 GB/s copied, read and written; 100 GFLOP/s in matrices\n"
            "model       1.00 MB of weights a step, 2.00 MFLOP a row, 100 B of KV a token\n"
            "roofline    10.000 ms weights + 0.000 ms context + 0.000 ms prompts a step: 200.00 "
            "tokens out a second\n"
            "reached     2.0 %\n");
}

TEST(OfflineReport, IsAnObjectForPrograms) {
  const offline_report report = counted();
  const auto json = nlohmann::json::parse(offline_json(report));
  EXPECT_EQ(json.at("completed"), 2);
  EXPECT_EQ(json.at("total_input_tokens"), 200);
  EXPECT_EQ(json.at("total_output_tokens"), 8);
  EXPECT_DOUBLE_EQ(json.at("output_throughput"), 4);
  EXPECT_DOUBLE_EQ(json.at("mean_ttft_ms"), 600);
  EXPECT_DOUBLE_EQ(json.at("p99_tpot_ms"), report.tpot.p99 * 1000);
  EXPECT_DOUBLE_EQ(json.at("mean_step_device_ms"), 300);
  EXPECT_DOUBLE_EQ(json.at("total_step_gap_s"), 0.4);
  EXPECT_DOUBLE_EQ(json.at("share_scheduler"), 0.04);
  EXPECT_DOUBLE_EQ(json.at("occupancy"), 0.8);
  EXPECT_DOUBLE_EQ(json.at("roofline_fraction"), 0.02);
}

} // namespace
} // namespace troupe
