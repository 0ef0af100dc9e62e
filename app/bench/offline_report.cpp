#include "app/bench/offline_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace troupe {
namespace {

/// 1234567 as "1.23 M".
std::string readable(double number) {
  constexpr std::array<std::string_view, 6> prefixes{"", "k", "M", "G", "T", "P"};
  std::size_t prefix = 0;
  while (number >= 999.5 && prefix + 1 < prefixes.size()) {
    number /= 1000;
    ++prefix;
  }
  return fmt::format("{:.{}f} {}", number,
                     number >= 99.95   ? 0
                     : number >= 9.995 ? 1
                                       : 2,
                     prefixes[prefix]);
}

double milliseconds_of(double seconds) { return seconds * 1000; }

std::string times(std::string_view name, const spread& of) {
  return fmt::format("{:<12}{:>12.2f}{:>12.2f}{:>12.2f}{:>12.2f}{:>12.2f}\n", name,
                     milliseconds_of(of.mean), milliseconds_of(of.median), milliseconds_of(of.p90),
                     milliseconds_of(of.p99), milliseconds_of(of.highest));
}

std::string part(std::string_view name, const step_part& of) {
  return fmt::format("{:<12}{:>12.3f}{:>12.3f}{:>12.3f}{:>12.2f}{:>10.1f} %\n", name,
                     milliseconds_of(of.each.mean), milliseconds_of(of.each.median),
                     milliseconds_of(of.each.p99), of.sum, of.share * 100);
}

std::string line(std::string_view name, const std::string& text) {
  return fmt::format("{:<12}{}\n", name, text);
}

template <class Of>
step_part part_of(const offline_outcome& outcome, Of&& seconds) {
  step_part out;
  std::vector<double> values;
  for (const step_report& each : outcome.steps) values.push_back(seconds(each));
  for (const double each : values) out.sum += each;
  out.each = spread_of(std::move(values));
  if (outcome.duration > 0) out.share = std::min(1.0, out.sum / outcome.duration);
  return out;
}

void count_steps(offline_report& report, const offline_outcome& outcome) {
  report.steps = outcome.steps.size();
  report.preemptions = outcome.preemptions;
  report.computing = part_of(outcome, [](const step_report& s) { return s.device_seconds; });
  report.gap = part_of(outcome, [](const step_report& s) { return s.gap_seconds; });
  report.scheduler = part_of(outcome, [](const step_report& s) { return s.scheduler_seconds; });
  if (report.steps == 0) return;
  double rows = 0;
  for (const step_report& each : outcome.steps) rows += each.batch_tokens;
  const auto steps = static_cast<double>(report.steps);
  report.rows_a_step = rows / steps;
  report.tokens_a_step = static_cast<double>(report.output_tokens) / steps;
  report.occupancy = std::min(1.0, report.tokens_a_step / report.places);
}

} // namespace

void count_outcome(offline_report& report, const offline_outcome& outcome) {
  report.duration = outcome.duration;
  report.output_tokens = outcome.output_tokens;
  std::vector<double> first;
  std::vector<double> each_token;
  std::vector<double> whole;
  for (const sequence_report& each : outcome.sequences) {
    report.input_tokens += each.usage.prompt;
    report.cached_tokens += each.usage.cached;
    first.push_back(each.times.first_token_seconds);
    whole.push_back(each.times.total_seconds);
    if (each.usage.completion > 1)
      each_token.push_back(each.times.decode_seconds / (each.usage.completion - 1));
  }
  report.ttft = spread_of(std::move(first));
  report.tpot = spread_of(std::move(each_token));
  report.e2el = spread_of(std::move(whole));
  count_steps(report, outcome);
}

std::string offline_text(const offline_report& report) {
  const auto all = static_cast<double>(report.input_tokens + report.output_tokens);
  std::string text =
      line("requests", fmt::format("{} in {:.2f} s: {:.2f} a second", report.work.requests,
                                   report.duration, report.per_second(report.work.requests)));
  text += line("tokens out",
               fmt::format("{}: {:.2f} a second", report.output_tokens, report.output_rate()));
  text += line("in and out",
               fmt::format("{}: {:.2f} a second", report.input_tokens + report.output_tokens,
                           report.per_second(all)));
  if (report.cached_tokens > 0)
    text += line("cached", fmt::format("{} tokens of prompts", report.cached_tokens));
  text += fmt::format("\n{:<12}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "ms", "mean", "median", "p90",
                      "p99", "most");
  text += times("TTFT", report.ttft) + times("TPOT", report.tpot) + times("E2E", report.e2el);
  text += fmt::format("\n{:<12}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "ms a step", "mean", "median",
                      "p99", "sum, s", "of the time");
  text += part("device", report.computing) + part("gap", report.gap) +
          part("scheduler", report.scheduler);
  text += line("steps", fmt::format("{}, of {:.1f} rows", report.steps, report.rows_a_step));
  text += line("batch", fmt::format("{:.2f} of {:.0f} sequences got a token in a step ({:.1f} %); "
                                    "{} preemptions",
                                    report.tokens_a_step, report.places, report.occupancy * 100,
                                    report.preemptions));
  const roofline& limit = report.limit;
  text +=
      "\n" + line("yardsticks", fmt::format("{}B/s copied, read and written; {}FLOP/s in matrices",
                                            readable(report.device_rates.copy_rate),
                                            readable(report.device_rates.matrix_rate)));
  text +=
      line("model", fmt::format("{}B of weights a step, {}FLOP a row, {}B of KV a token",
                                readable(report.cost.weight_bytes),
                                readable(report.cost.row_operations + report.cost.head_operations),
                                readable(report.cost.kv_bytes)));
  text += line("roofline",
               fmt::format("{:.3f} ms weights + {:.3f} ms context + {:.3f} ms prompts a step: "
                           "{:.2f} tokens out a second",
                           milliseconds_of(limit.weights), milliseconds_of(limit.context),
                           milliseconds_of(limit.prompts), limit.output_tokens_per_second()));
  return text + line("reached", fmt::format("{:.1f} %", report.reached() * 100));
}

} // namespace troupe
