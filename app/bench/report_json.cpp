#include "app/bench/report.hpp"
#include "app/bench/spread_json.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace troupe {
namespace {

using json = nlohmann::ordered_json;

/// Seconds to whole nanoseconds, which is more than clocks know and far shorter to write.
double rounded(double seconds) { return std::round(seconds * 1e9) / 1e9; }

json rounded(const std::vector<double>& seconds) {
  json out = json::array();
  for (const double each : seconds) out.push_back(rounded(each));
  return out;
}

void add_configuration(json& to, const bench_report& report) {
  to["date"] = report.date;
  to["url"] = report.url;
  to["endpoint"] = report.endpoint;
  to["model_id"] = report.model;
  to["prompts"] = report.prompts;
  to["trace"] = report.trace.empty() ? json(nullptr) : json(report.trace);
  to["seed"] = report.seed;
  to["num_prompts"] = report.requests;
  to["num_warmups"] = report.warmup;
  to["max_concurrency"] = report.concurrency > 0 ? json(report.concurrency) : json(nullptr);
  to["request_rate"] = report.rate > 0 ? json(report.rate) : json(nullptr);
  to["burstiness"] = report.burstiness;
  to["ignore_eos"] = report.ignores_eos;
  const auto limit = [](const std::optional<double>& ms) { return ms ? json(*ms) : json(nullptr); };
  to["goodput_limits_ms"] = {{"ttft", limit(report.limits.ttft)},
                             {"tpot", limit(report.limits.tpot)},
                             {"e2el", limit(report.limits.e2el)}};
  to["interrupted"] = report.interrupted;
}

void add_totals(json& to, const bench_report& report) {
  const measurement& numbers = report.numbers;
  const auto rate = [&](std::uint64_t count) {
    return numbers.per_second(static_cast<double>(count));
  };
  to["duration"] = rounded(numbers.duration);
  to["completed"] = numbers.completed;
  to["failed"] = numbers.failed;
  to["total_input_tokens"] = numbers.input_tokens;
  to["total_output_tokens"] = numbers.output_tokens;
  to["total_cached_tokens"] = numbers.cached_tokens;
  to["planned_input_tokens"] = numbers.planned_input_tokens;
  to["answers_without_usage"] = numbers.uncounted;
  to["answers_shorter_than_asked"] = numbers.shorter;
  to["request_throughput"] = rate(numbers.completed);
  to["request_goodput"] = report.limits.any() ? json(rate(numbers.good)) : json(nullptr);
  to["output_throughput"] = rate(numbers.output_tokens);
  to["total_token_throughput"] = rate(numbers.input_tokens + numbers.output_tokens);
  to["max_output_tokens_per_s"] = numbers.peak_output_throughput;
  to["max_concurrent_requests"] = numbers.peak_concurrency;
  json failures = json::array();
  for (const auto& [reason, count] : numbers.failures)
    failures.push_back({{"reason", reason}, {"count", count}});
  to["failures"] = std::move(failures);
}

void add_drafts(json& to, const speculation& drafts) {
  to["spec_decode_acceptance_rate"] = drafts.acceptance_rate * 100;
  to["spec_decode_acceptance_length"] = drafts.acceptance_length;
  to["spec_decode_num_drafts"] = drafts.drafts;
  to["spec_decode_draft_tokens"] = drafts.draft_tokens;
  to["spec_decode_accepted_tokens"] = drafts.accepted_tokens;
  to["spec_decode_per_position_acceptance_rates"] = drafts.acceptance_at;
}

/// Times in seconds, `start_times` after the measurement's begin.
void add_requests(json& to, const std::vector<request_record>& records) {
  const auto list = [&](const char* name, auto&& of) {
    json values = json::array();
    for (const request_record& each : records) values.push_back(of(each));
    to[name] = std::move(values);
  };
  list("input_lens", [](const request_record& each) { return each.input; });
  list("output_lens", [](const request_record& each) { return each.ok() ? each.output : 0; });
  list("ttfts", [](const request_record& each) { return rounded(each.ttft); });
  list("itls", [](const request_record& each) { return rounded(each.gaps); });
  list("latencies", [](const request_record& each) { return rounded(each.latency); });
  list("start_times", [](const request_record& each) { return rounded(each.sent); });
  list("queue_times", [](const request_record& each) { return rounded(each.sent - each.planned); });
  list("errors", [](const request_record& each) { return each.error; });
}

} // namespace

std::string result_json(const bench_report& report, bool per_request) {
  json out;
  add_configuration(out, report);
  add_totals(out, report);
  add_spread(out, "ttft", report.numbers.ttft);
  add_spread(out, "tpot", report.numbers.tpot);
  add_spread(out, "itl", report.numbers.itl);
  add_spread(out, "e2el", report.numbers.e2el);
  if (report.has_arrivals()) add_spread(out, "client_queue_time", report.numbers.queueing);
  if (report.drafts) add_drafts(out, *report.drafts);
  if (per_request) add_requests(out, report.records);
  return out.dump(per_request ? -1 : 2, ' ', false, json::error_handler_t::replace) + '\n';
}

} // namespace troupe
