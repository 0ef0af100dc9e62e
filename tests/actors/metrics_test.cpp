#include "actors/metrics.hpp"
#include "tests/actors/metrics_page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

namespace troupe::testing {
namespace {

const metrics_facts facts{"small", 64, 16, 10, true, nullptr};

template <class... Reports>
metrics_page page_of(const Reports&... reports) {
  metrics counted{facts};
  (counted.add(reports), ...);
  return metrics_page{counted.text()};
}

sequence_report whole_sequence() {
  sequence_report out;
  out.usage = {10, 4, 5};
  out.max_tokens = 20;
  out.times.queue_seconds = 0.01;
  out.times.first_token_seconds = 0.05;
  out.times.prefill_seconds = 0.04;
  out.times.decode_seconds = 0.4;
  out.times.total_seconds = 0.5;
  return out;
}

kv_report kv_of(std::uint64_t queried, std::uint64_t hit) {
  kv_report out;
  out.stats.total = 10;
  out.stats.free = 5;
  out.stats.idle = 3;
  out.stats.used = 2;
  out.stats.queried_tokens = queried;
  out.stats.hit_tokens = hit;
  return out;
}

TEST(Metrics, NamesModelAndEngineInEverySeries) {
  const auto page = page_of(step_report{}, kv_of(1, 0), whole_sequence());
  ASSERT_FALSE(page.all_labels().empty());
  for (const auto& labels : page.all_labels()) {
    EXPECT_EQ(labels.count("model_name"), 1U);
    EXPECT_EQ(labels.count("engine"), 1U);
  }
}

TEST(Metrics, ShowsWhatRoutersNeedBeforeAnythingHappened) {
  const auto page = page_of(kv_of(0, 0));
  EXPECT_EQ(page.value("vllm:num_requests_waiting"), 0);
  EXPECT_EQ(page.value("vllm:num_requests_running"), 0);
  EXPECT_EQ(page.value("vllm:cache_config_info", {{"block_size", "16"}, {"num_gpu_blocks", "10"}}),
            1);
  EXPECT_TRUE(page.value("vllm:kv_cache_usage_perc"));
}

TEST(Metrics, HasTheTypesThatScrapersExpect) {
  const auto page = page_of(kv_of(1, 1), whole_sequence(), token_gaps{{0.1F}});
  for (const auto* name :
       {"vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
        "vllm:gpu_cache_usage_perc", "vllm:cache_config_info"})
    EXPECT_EQ(page.type(name), "gauge") << name;
  for (const auto* name :
       {"vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total",
        "vllm:num_preemptions_total", "vllm:prompt_tokens_total", "vllm:prompt_tokens_cached_total",
        "vllm:generation_tokens_total", "vllm:request_success_total"})
    EXPECT_EQ(page.type(name), "counter") << name;
  for (const auto* name :
       {"vllm:request_prompt_tokens", "vllm:request_generation_tokens",
        "vllm:request_params_max_tokens", "vllm:request_params_n",
        "vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds",
        "vllm:time_per_output_token_seconds", "vllm:request_time_per_output_token_seconds",
        "vllm:e2e_request_latency_seconds", "vllm:request_queue_time_seconds",
        "vllm:request_inference_time_seconds", "vllm:request_prefill_time_seconds",
        "vllm:request_decode_time_seconds"})
    EXPECT_EQ(page.type(name), "histogram") << name;
}

// The documented metrics are those that there are: `name` with a colon or http_ at its front, in
// the page's tables.
std::set<std::string> documented() {
  std::ifstream in{TROUPE_DOCS "/metrics.md"};
  const std::string page{std::istreambuf_iterator<char>{in}, {}};
  std::set<std::string> out;
  for (std::size_t at = page.find('`'); at != std::string::npos;) {
    const auto end = page.find('`', at + 1);
    if (end == std::string::npos) break;
    const auto word = page.substr(at + 1, end - at - 1);
    const bool plain = word.find_first_of(" *{=/") == std::string::npos;
    if (plain && (word.find(':') != std::string::npos || word.starts_with("http_")))
      out.insert(word);
    at = page.find('`', end + 1);
  }
  return out;
}

/// A GPU whose driver tells everything.
gpu_reading a_gpu() {
  return {.index = 1,
          .uuid = "GPU-7",
          .utilisation = 0.5,
          .memory_used_bytes = 7e9,
          .memory_total_bytes = 9e9,
          .power_watts = 300,
          .energy_joules = 1000,
          .temperature_celsius = 60,
          .clock_hertz = 2e9,
          .memory_clock_hertz = 3e9,
          .ecc_corrected = 5,
          .ecc_uncorrected = 0};
}

TEST(Metrics, ShowsAGpuAsItsDriverTellsOfIt) {
  auto later = a_gpu();
  later.energy_joules = 1500;
  later.ecc_corrected = 5;
  const auto page = page_of(a_gpu(), later);
  const metrics_page::labels gpu{{"gpu", "1"}, {"uuid", "GPU-7"}};
  EXPECT_EQ(page.value("troupe:gpu_utilization", gpu), 0.5);
  EXPECT_EQ(page.value("troupe:gpu_power_watts", gpu), 300);
  EXPECT_EQ(page.value("troupe:gpu_energy_joules_total", gpu), 1500);
  EXPECT_EQ(page.value("troupe:gpu_clock_hertz", {{"clock", "memory"}}), 3e9);
  EXPECT_EQ(page.value("troupe:gpu_ecc_errors_total", {{"kind", "corrected"}}), 5);
  EXPECT_EQ(page.value("troupe:gpu_ecc_errors_total", {{"kind", "uncorrected"}}), 0);
}

TEST(Metrics, LeavesOutWhatAGpusDriverDoesNotTell) {
  gpu_reading little;
  little.power_watts = 80;
  const auto page = page_of(little);
  EXPECT_EQ(page.value("troupe:gpu_power_watts"), 80);
  EXPECT_FALSE(page.has("troupe:gpu_energy_joules_total"));
  EXPECT_FALSE(page.has("troupe:gpu_utilization"));
}

TEST(Metrics, AreThoseOfTheirDocumentation) {
  step_report step;
  step.batch_tokens = 1;
  const auto page = page_of(step, kv_of(1, 1), whole_sequence(), token_gaps{{0.1F}},
                            cancel_report{0.1}, refusal_report{"code"}, restart_report{2},
                            http_report{"/", "GET", 200, 0.1}, a_gpu());
  std::set<std::string> there;
  for (const auto& [name, type] : page.types()) there.insert(name);
  EXPECT_EQ(there, documented());
}

// A bound that dashboards interpolate with must be among ours; more are welcome.
void expect_bounds(const metrics_page& page, const std::string& name,
                   const std::vector<std::string>& wanted) {
  const auto bounds = page.bounds(name);
  for (const auto& bound : wanted)
    EXPECT_TRUE(std::find(bounds.begin(), bounds.end(), bound) != bounds.end())
        << name << " lacks " << bound;
}

TEST(Metrics, HasVllmsBucketsAmongItsOwn) {
  const auto page =
      page_of(whole_sequence(), token_gaps{{0.1F}}, step_report{1, 0, 5, 1, 0, 0, 0, 0, 0});
  expect_bounds(page, "vllm:time_to_first_token_seconds",
                {"0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1",
                 "0.25",  "0.5",   "0.75", "1",    "2.5",  "5",    "7.5",  "10",
                 "20",    "40",    "80",   "160",  "640",  "2560"});
  for (const auto* name :
       {"vllm:inter_token_latency_seconds", "vllm:request_time_per_output_token_seconds"})
    expect_bounds(page, name,
                  {"0.01", "0.025", "0.05", "0.075", "0.1", "0.15", "0.2", "0.3", "0.4", "0.5",
                   "0.75", "1", "2.5", "5", "7.5", "10", "20", "40", "80"});
  for (const auto* name : {"vllm:e2e_request_latency_seconds", "vllm:request_queue_time_seconds",
                           "vllm:request_inference_time_seconds",
                           "vllm:request_prefill_time_seconds", "vllm:request_decode_time_seconds"})
    expect_bounds(page, name,
                  {"0.3", "0.5", "0.8", "1",  "1.5", "2",   "2.5", "5",   "10",   "15",  "20",
                   "30",  "40",  "50",  "60", "120", "240", "480", "960", "1920", "7680"});
  expect_bounds(page, "vllm:request_params_n", {"1", "2", "5", "10", "20"});
  expect_bounds(
      page, "vllm:iteration_tokens_total",
      {"1", "8", "16", "32", "64", "128", "256", "512", "1024", "2048", "4096", "8192", "16384"});
  expect_bounds(page, "vllm:request_prompt_tokens", {"1", "2", "5", "10", "20", "50"});
}

TEST(Metrics, AddsUpSequences) {
  const auto page = page_of(whole_sequence(), whole_sequence());
  EXPECT_EQ(page.value("vllm:prompt_tokens_total"), 20);
  EXPECT_EQ(page.value("vllm:prompt_tokens_cached_total"), 8);
  EXPECT_EQ(page.value("vllm:request_success_total", {{"finished_reason", "stop"}}), 2);
  EXPECT_EQ(page.value("vllm:request_success_total", {{"finished_reason", "length"}}), 0);
  EXPECT_EQ(page.value("vllm:e2e_request_latency_seconds_sum"), 1);
  EXPECT_EQ(page.value("vllm:request_generation_tokens_sum"), 10);
}

TEST(Metrics, CallsACancelledSequenceAborted) {
  auto cancelled = whole_sequence();
  cancelled.reason = finish_reason::cancelled;
  EXPECT_EQ(page_of(cancelled).value("vllm:request_success_total", {{"finished_reason", "abort"}}),
            1);
}

TEST(Metrics, DividesDecodingByTheTokensAfterTheFirst) {
  const auto page = page_of(whole_sequence());
  EXPECT_DOUBLE_EQ(page.value("vllm:request_time_per_output_token_seconds_sum").value_or(0), 0.1);
}

TEST(Metrics, CountsNoTimesOfASequenceThatNeverStarted) {
  sequence_report never;
  never.reason = finish_reason::timeout;
  never.times.total_seconds = 3;
  const auto page = page_of(never);
  EXPECT_EQ(page.value("vllm:e2e_request_latency_seconds_count"), 1);
  EXPECT_EQ(page.value("vllm:time_to_first_token_seconds_count").value_or(0), 0);
  EXPECT_EQ(page.value("vllm:request_queue_time_seconds_count").value_or(0), 0);
}

TEST(Metrics, AddsUpSteps) {
  step_report step;
  step.running = 3;
  step.waiting = 2;
  step.batch_tokens = 40;
  step.sampled_tokens = 3;
  step.preemptions = 1;
  const auto page = page_of(step, step);
  EXPECT_EQ(page.value("vllm:num_requests_running"), 3);
  EXPECT_EQ(page.value("vllm:num_requests_waiting"), 2);
  EXPECT_EQ(page.value("vllm:generation_tokens_total"), 6);
  EXPECT_EQ(page.value("vllm:num_preemptions_total"), 2);
  EXPECT_EQ(page.value("vllm:iteration_tokens_total_count"), 2);
  EXPECT_EQ(page.value("vllm:iteration_tokens_total_bucket", {{"le", "32"}}), 0);
  EXPECT_EQ(page.value("vllm:iteration_tokens_total_bucket", {{"le", "64"}}), 2);
}

TEST(Metrics, ShowsTheCacheAsAShareOfAllBlocks) {
  const auto page = page_of(kv_of(0, 0));
  EXPECT_DOUBLE_EQ(page.value("vllm:kv_cache_usage_perc").value_or(-1), 0.2);
  EXPECT_EQ(page.value("troupe:kv_blocks", {{"state", "idle"}}), 3);
  EXPECT_EQ(page.value("troupe:kv_blocks_without_owner"), 0);
}

TEST(Metrics, ShowsRunningTotalsOnce) {
  const auto page = page_of(kv_of(10, 4), kv_of(10, 4), kv_of(25, 5));
  EXPECT_EQ(page.value("vllm:prefix_cache_queries_total"), 25);
  EXPECT_EQ(page.value("vllm:prefix_cache_hits_total"), 5);
}

TEST(Metrics, NeverGoBackWhenANewEngineCountsFromZero) {
  const auto page = page_of(kv_of(100, 40), kv_of(0, 0), kv_of(10, 5));
  EXPECT_EQ(page.value("vllm:prefix_cache_queries_total"), 110);
  EXPECT_EQ(page.value("vllm:prefix_cache_hits_total"), 45);
}

TEST(Metrics, ShowGapsUnderBothOfTheirNames) {
  const auto page = page_of(token_gaps{{0.25F, 0.5F}});
  EXPECT_EQ(page.value("vllm:inter_token_latency_seconds_sum"), 0.75);
  EXPECT_EQ(page.value("vllm:time_per_output_token_seconds_count"), 2);
}

TEST(Metrics, CountHttpAnswersByRouteMethodAndStatus) {
  const http_report answer{"/v1/completions", "POST", 200, 0.5};
  const auto page = page_of(answer, answer, http_report{"/v1/completions", "POST", 400, 0.5});
  EXPECT_EQ(page.value("http_requests_total",
                       {{"handler", "/v1/completions"}, {"method", "POST"}, {"status", "200"}}),
            2);
  EXPECT_EQ(page.value("http_request_duration_seconds_count"), 3);
}

} // namespace
} // namespace troupe::testing
