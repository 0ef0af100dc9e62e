#include "app/bench/report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace troupe {
namespace {

constexpr std::size_t most_failures_shown = 10;
// What is no more than this is the clock of the machine, not a client that is too slow.
constexpr double notable_lateness = 0.01; // seconds
// A template's words around a prompt, or a token in front of it, are no reason for a note.
constexpr double notable_difference = 0.05;

std::string line(std::string_view label, std::uint64_t number) {
  return fmt::format("{:<40} {}\n", label, number);
}

std::string line(std::string_view label, double number) {
  return fmt::format("{:<40} {:.2f}\n", label, number);
}

std::string ruler(std::string_view title) { return fmt::format("{:-^50}\n", title); }

/// In milliseconds.
std::string section(std::string_view title, std::string_view name, const spread& values) {
  const auto part = [&](std::string_view which, double seconds) {
    return line(fmt::format("{} {} (ms):", which, name), seconds * 1000);
  };
  return ruler(title) + part("Mean", values.mean) + part("Median", values.median) +
         part("P90", values.p90) + part("P99", values.p99);
}

std::string drafts_section(const speculation& drafts) {
  std::string text = ruler("Speculative Decoding");
  text += line("Acceptance rate (%):", drafts.acceptance_rate * 100);
  text += line("Acceptance length:", drafts.acceptance_length);
  text += line("Drafts:", drafts.drafts);
  text += line("Draft tokens:", drafts.draft_tokens);
  text += line("Accepted tokens:", drafts.accepted_tokens);
  if (drafts.acceptance_at.empty()) return text;
  text += "Per-position acceptance (%):\n";
  for (std::size_t i = 0; i < drafts.acceptance_at.size(); ++i)
    text += line(fmt::format("  Position {}:", i), drafts.acceptance_at[i] * 100);
  return text;
}

/// Requests came at times of their own, but were held back where too many were under way.
bool has_queue(const bench_report& report) {
  return report.concurrency > 0 && report.has_arrivals();
}

std::string failure_notes(const measurement& numbers) {
  if (numbers.failures.empty()) return {};
  std::string text = "why requests failed:\n";
  std::size_t left = numbers.failed;
  for (std::size_t i = 0; i < std::min(numbers.failures.size(), most_failures_shown); ++i) {
    const auto& [reason, count] = numbers.failures[i];
    text += fmt::format("{:>8}  {}\n", count, reason);
    left -= count;
  }
  if (left > 0) text += fmt::format("{:>8}  for other reasons\n", left);
  return text;
}

} // namespace

std::string result_block(const bench_report& report) {
  const measurement& numbers = report.numbers;
  const auto output = static_cast<double>(numbers.output_tokens);
  const auto all = static_cast<double>(numbers.input_tokens) + output;
  std::string text = fmt::format("{:=^50}\n", " Serving Benchmark Result ");
  text += line("Successful requests:", numbers.completed);
  text += line("Failed requests:", numbers.failed);
  if (report.concurrency > 0) text += line("Maximum request concurrency:", report.concurrency);
  if (report.rate > 0) text += line("Request rate configured (RPS):", report.rate);
  text += line("Benchmark duration (s):", numbers.duration);
  text += line("Total input tokens:", numbers.input_tokens);
  text += line("Total generated tokens:", numbers.output_tokens);
  text += line("Request throughput (req/s):",
               numbers.per_second(static_cast<double>(numbers.completed)));
  if (report.limits.any())
    text += line("Request goodput (req/s):", numbers.per_second(static_cast<double>(numbers.good)));
  text += line("Output token throughput (tok/s):", numbers.per_second(output));
  text += line("Peak output token throughput (tok/s):", numbers.peak_output_throughput);
  text += line("Peak concurrent requests:", static_cast<double>(numbers.peak_concurrency));
  text += line("Total token throughput (tok/s):", numbers.per_second(all));
  text += section("Time to First Token", "TTFT", numbers.ttft);
  text += section("Time per Output Token (excl. 1st token)", "TPOT", numbers.tpot);
  text += section("Inter-token Latency", "ITL", numbers.itl);
  text += section("End-to-end Latency", "E2EL", numbers.e2el);
  if (has_queue(report))
    text += section("Client-side Queueing", "Client Queue Time", numbers.queueing);
  if (report.drafts) text += drafts_section(*report.drafts);
  return text + std::string(50, '=') + '\n';
}

std::string result_notes(const bench_report& report) {
  const measurement& numbers = report.numbers;
  std::string text = failure_notes(numbers);
  const auto note = [&](const std::string& words) { text += "note: " + words + '\n'; };
  if (report.interrupted)
    note(fmt::format("interrupted; {} of {} requests had ended", report.records.size(),
                     report.requests));
  if (numbers.uncounted > 0)
    note(fmt::format("answers without usage from the server: {}; their tokens are counted as "
                     "deltas, their prompts as planned",
                     numbers.uncounted));
  const auto input = static_cast<double>(numbers.input_tokens);
  const auto planned = static_cast<double>(numbers.planned_input_tokens);
  if (planned > 0 && std::abs(input - planned) > notable_difference * planned)
    note(fmt::format("prompts of {} tokens were planned, and the server counts {}",
                     numbers.planned_input_tokens, numbers.input_tokens));
  if (numbers.shorter > 0 && report.ignores_eos)
    note(fmt::format("answers shorter than asked for, although they were to go on: {}",
                     numbers.shorter));
  if (numbers.cached_tokens > 0)
    note(fmt::format("{:.1f} % of the input tokens were in the server's prefix cache",
                     100 * static_cast<double>(numbers.cached_tokens) / input));
  if (report.has_arrivals() && report.concurrency == 0 && numbers.queueing.p99 > notable_lateness)
    note(fmt::format("this client was late: requests were sent up to {:.1f} ms behind their time",
                     numbers.queueing.highest * 1000));
  return text;
}

} // namespace troupe
