// The server's metrics: the names, labels and buckets of vLLM for what both have, so that
// dashboards, autoscalers and routers made for it work as they are, and troupe:* for what only we
// have. Times below 10 ms get finer buckets than vLLM's, which has its bounds among ours.
#pragma once

#include "actors/engine_messages.hpp"
#include "kernels/gpu_monitor.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
template <class Metric>
class Family;
} // namespace prometheus

namespace troupe {

/// Not thread-safe: telemetry owns it.
class metrics {
 public:
  explicit metrics(const metrics_facts& facts);
  ~metrics();

  void add(const step_report& what);
  void add(const kv_report& what);
  void add(const sequence_report& what);
  void add(const token_gaps& what);
  void add(const cancel_report& what);
  void add(const refusal_report& what);
  void add(const restart_report& what);
  void add(const http_report& what);
  void add(const gpu_reading& what);
  void mailbox(const std::string& actor, std::size_t depth);

  /// Everything in Prometheus' text format 0.0.4.
  std::string text() const;

 private:
  using labels = std::map<std::string, std::string>;

  prometheus::Counter& counter(const std::string& name, const std::string& help,
                               const labels& more = {});
  prometheus::Gauge& gauge(const std::string& name, const std::string& help,
                           const labels& more = {});
  prometheus::Histogram& histogram(const std::string& name, const std::string& help,
                                   std::vector<double> buckets);
  void advance(const std::string& name, const std::string& help, double total,
               const labels& more = {});

  labels base_;
  std::shared_ptr<prometheus::Registry> registry_;
  std::map<std::pair<std::string, labels>, double> totals_; // of those reported as running totals
  std::vector<double> token_buckets_;                       // 1, 2, 5, 10, ... up to the context
};

} // namespace troupe
