// How well the server's draft tokens did meanwhile, where it tells: the difference of its counters
// before and after the measurement.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe {

struct speculation_counters {
  std::uint64_t drafts = 0;
  std::uint64_t draft_tokens = 0;
  std::uint64_t accepted_tokens = 0;
  std::map<std::uint32_t, std::uint64_t> accepted_at; ///< by position in the draft
};

/// Reads vllm:spec_decode_*_total out of Prometheus' text format, summed over labels. Nothing: none
/// is there.
std::optional<speculation_counters> read_speculation(std::string_view metrics);

struct speculation {
  std::uint64_t drafts = 0;
  std::uint64_t draft_tokens = 0;
  std::uint64_t accepted_tokens = 0;
  double acceptance_rate = 0;        ///< accepted of the drafted tokens
  double acceptance_length = 0;      ///< tokens for each pass of the model: 1 and what was accepted
  std::vector<double> acceptance_at; ///< of drafts, by position
};

/// Nothing: not told, or nothing was drafted.
std::optional<speculation> speculation_between(const std::optional<speculation_counters>& before,
                                               const std::optional<speculation_counters>& after);

} // namespace troupe
