#include "app/bench/plan.hpp"

#include "app/bench/draws.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {
namespace {

// Streams of the seed that plans draw from. Prompts have those of their runs' sources.
constexpr std::uint32_t arrivals_stream = 100;
constexpr std::uint32_t lengths_stream = 101;
constexpr std::uint32_t prefixes_stream = 102;

std::vector<double> arrival_times(const drawn_arrivals& arrivals, std::size_t count,
                                  std::uint64_t seed) {
  std::vector<double> times(count, 0);
  if (arrivals.rate <= 0 || count == 0) return times;
  draws drawn(seed, arrivals_stream);
  double at = 0;
  for (double& each : times) each = at += drawn.gamma(arrivals.burstiness);
  // So bursty that every gap is too small for a double: all of them come at the end.
  const double total = static_cast<double>(count) / arrivals.rate;
  if (at <= 0) return std::vector<double>(count, total);
  for (double& each : times) each *= total / at;
  return times;
}

std::uint32_t length_around(std::uint32_t mean, double ratio, draws& drawn) {
  const double lowest = std::floor(mean * (1 - ratio));
  const double highest = std::ceil(mean * (1 + ratio));
  return static_cast<std::uint32_t>(
      drawn.between(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(lowest)),
                    static_cast<std::uint64_t>(highest)));
}

std::uint32_t scaled(std::uint32_t length, double scale) {
  return static_cast<std::uint32_t>(std::max(1.0, std::round(length * scale)));
}

} // namespace

std::uint64_t planned_request::input() const {
  std::uint64_t sum = 0;
  for (const prompt_run& each : prompt) sum += each.tokens;
  return sum;
}

request_plan plan_drawn(const drawn_lengths& lengths, const drawn_arrivals& arrivals,
                        std::uint64_t seed) {
  const std::vector<double> times = arrival_times(arrivals, lengths.requests, seed);
  draws drawn(seed, lengths_stream);
  draws chosen(seed, prefixes_stream);
  request_plan plan(lengths.requests);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    planned_request& each = plan[i];
    each.at = times[i];
    if (lengths.prefix_tokens > 0)
      each.prompt.push_back(
          {run_source::prefix, chosen.below(lengths.prefixes), lengths.prefix_tokens});
    each.prompt.push_back(
        {run_source::own, i, length_around(lengths.input, lengths.range_ratio, drawn)});
    each.output = length_around(lengths.output, lengths.range_ratio, drawn);
  }
  return plan;
}

request_plan plan_trace(const trace& recorded, const trace_use& use) {
  const std::size_t most = recorded.requests.size();
  const std::size_t count = use.requests == 0 ? most : std::min<std::size_t>(use.requests, most);
  request_plan plan(count);
  const std::uint32_t block = scaled(trace_block_tokens, use.scale);
  for (std::size_t i = 0; i < count; ++i) {
    const traced_request& from = recorded.requests[i];
    planned_request& each = plan[i];
    each.at = from.at / use.speed;
    each.output = scaled(from.output, use.scale);
    std::uint32_t left = scaled(from.input, use.scale);
    for (const std::uint64_t number : from.blocks) {
      if (left == 0) break;
      each.prompt.push_back({run_source::block, number, std::min(left, block)});
      left -= each.prompt.back().tokens;
    }
    if (left > 0) each.prompt.push_back({run_source::own, i, left});
  }
  return plan;
}

request_plan plan_warmup(const request_plan& plan, std::uint32_t count) {
  request_plan out;
  if (plan.empty()) return out;
  for (std::size_t i = 0; i < count; ++i) {
    planned_request each = plan[i % plan.size()];
    each.at = 0;
    std::erase_if(each.prompt,
                  [](const prompt_run& run) { return run.source != run_source::prefix; });
    const std::uint64_t left = plan[i % plan.size()].input() - each.input();
    if (left > 0) each.prompt.push_back({run_source::warmup, i, static_cast<std::uint32_t>(left)});
    out.push_back(std::move(each));
  }
  return out;
}

} // namespace troupe
