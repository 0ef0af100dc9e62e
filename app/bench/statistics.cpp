#include "app/bench/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace troupe {
namespace {

double percentile(const std::vector<double>& sorted, double fraction) {
  const double at = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - static_cast<double>(below));
}

/// Tokens in the best whole second since the first request was sent. A delta may bring several
/// tokens, which only the sum tells: each counts for an equal share of its answer's.
double best_second(const std::vector<request_record>& records) {
  double begin = 0;
  double end = 0;
  bool any = false;
  for (const request_record& each : records) {
    if (!each.ok()) continue;
    begin = any ? std::min(begin, each.sent) : each.sent;
    end = std::max(end, each.sent + each.latency);
    any = true;
  }
  if (!any) return 0;
  std::vector<double> seconds(static_cast<std::size_t>(end - begin) + 1, 0);
  for (const request_record& each : records) {
    if (!each.ok()) continue;
    const double share =
        static_cast<double>(each.output) / static_cast<double>(each.gaps.size() + 1);
    double at = each.sent + each.ttft - begin;
    const auto add = [&] {
      seconds[std::min(static_cast<std::size_t>(std::max(at, 0.0)), seconds.size() - 1)] += share;
    };
    add();
    for (const double gap : each.gaps) {
      at += gap;
      add();
    }
  }
  return *std::max_element(seconds.begin(), seconds.end());
}

/// Where one ends as another begins, they are not under way at once.
std::size_t most_at_once(const std::vector<request_record>& records) {
  std::vector<std::pair<double, int>> steps;
  for (const request_record& each : records) {
    steps.emplace_back(each.sent, 1);
    steps.emplace_back(each.ended, -1);
  }
  std::sort(steps.begin(), steps.end());
  std::ptrdiff_t now = 0;
  std::ptrdiff_t most = 0;
  for (const auto& [at, step] : steps) most = std::max(most, now += step);
  return static_cast<std::size_t>(most);
}

std::vector<std::pair<std::string, std::size_t>>
failures_of(const std::vector<request_record>& records) {
  std::map<std::string, std::size_t> counts;
  for (const request_record& each : records)
    if (!each.ok()) ++counts[each.error];
  std::vector<std::pair<std::string, std::size_t>> out(counts.begin(), counts.end());
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

} // namespace

spread spread_of(std::vector<double> values) {
  spread out;
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  out.count = values.size();
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double each : values) squares += (each - out.mean) * (each - out.mean);
  out.deviation = std::sqrt(squares / count);
  out.lowest = values.front();
  out.median = percentile(values, 0.5);
  out.p90 = percentile(values, 0.9);
  out.p95 = percentile(values, 0.95);
  out.p99 = percentile(values, 0.99);
  out.highest = values.back();
  return out;
}

measurement measure(const std::vector<request_record>& records, double duration,
                    const goodput_limits& limits) {
  measurement out;
  out.duration = duration;
  std::vector<double> ttfts;
  std::vector<double> tpots;
  std::vector<double> gaps;
  std::vector<double> latencies;
  std::vector<double> queueing;
  for (const request_record& each : records) {
    if (!each.ok()) {
      ++out.failed;
      continue;
    }
    ++out.completed;
    out.input_tokens += each.input;
    out.output_tokens += each.output;
    out.cached_tokens += each.cached;
    out.planned_input_tokens += each.planned_input;
    if (limits.hold(each)) ++out.good;
    if (!each.counted) ++out.uncounted;
    if (each.output < each.planned_output) ++out.shorter;
    ttfts.push_back(each.ttft);
    latencies.push_back(each.latency);
    queueing.push_back(each.sent - each.planned);
    if (each.output > 1) tpots.push_back(each.tpot());
    gaps.insert(gaps.end(), each.gaps.begin(), each.gaps.end());
  }
  out.ttft = spread_of(std::move(ttfts));
  out.tpot = spread_of(std::move(tpots));
  out.itl = spread_of(std::move(gaps));
  out.e2el = spread_of(std::move(latencies));
  out.queueing = spread_of(std::move(queueing));
  out.peak_output_throughput = best_second(records);
  out.peak_concurrency = most_at_once(records);
  out.failures = failures_of(records);
  return out;
}

} // namespace troupe
