// The result of a measurement, as people and as programs read it.
#pragma once

#include "app/bench/speculation.hpp"
#include "app/bench/statistics.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What was measured, and what came of it.
struct bench_report {
  std::string date; ///< of its begin, like 2025-01-31T12:00:00Z
  std::string url;
  std::string endpoint; ///< "completions", "chat"
  std::string model;
  std::string prompts; ///< "ids", "words"
  std::string trace;   ///< its file; empty: lengths were drawn
  std::uint64_t seed = 0;
  std::size_t requests = 0; ///< planned
  std::size_t warmup = 0;
  std::size_t concurrency = 0; ///< at most; 0: no limit
  double rate = 0;             ///< configured; 0: none
  double burstiness = 1;
  bool ignores_eos = true;
  bool interrupted = false; ///< what was under way is not counted
  goodput_limits limits;
  measurement numbers;
  std::optional<speculation> drafts;
  std::vector<request_record> records; ///< of the requests that ended, as they were planned

  /// Requests came at times of their own, not as soon as possible.
  bool has_arrivals() const { return rate > 0 || !trace.empty(); }
};

/// The block that vLLM's `bench serve` prints, with its labels: 50 columns wide.
std::string result_block(const bench_report& report);

/// What the block does not say and a reader should know: why requests failed, and where the numbers
/// are not what they seem. One line each; empty: nothing.
std::string result_notes(const bench_report& report);

/// All of it as a JSON object, with the names that vLLM's `bench serve` uses where it has them;
/// lists with an element for each request where `per_request`.
std::string result_json(const bench_report& report, bool per_request);

} // namespace troupe
