// A measurement before it begins: which requests are sent, when, how long, and which parts of their
// prompts are the same. Nothing of it depends on a server or a clock, so a seed gives the same plan
// everywhere.
#pragma once

#include "app/bench/trace.hpp"

#include <cstdint>
#include <vector>

namespace troupe {

/// Where the tokens of a run of a prompt come from. Runs of the same source and number begin with
/// the same tokens.
enum class run_source : std::uint32_t { own, warmup, prefix, block };

struct prompt_run {
  run_source source = run_source::own;
  std::uint64_t number = 0;
  std::uint32_t tokens = 0;
  bool operator==(const prompt_run&) const = default;
};

struct planned_request {
  double at = 0; ///< seconds after the measurement's begin
  std::vector<prompt_run> prompt;
  std::uint32_t output = 1; ///< tokens

  /// Tokens of the prompt.
  std::uint64_t input() const;
  bool operator==(const planned_request&) const = default;
};

using request_plan = std::vector<planned_request>;

/// Requests of lengths that are drawn.
struct drawn_lengths {
  std::uint32_t requests = 100;
  std::uint32_t input = 512; ///< tokens of the prompt behind its prefix
  std::uint32_t output = 128;
  /// Lengths are uniform in [n(1-r), n(1+r)], rounded to whole tokens, and at least 1.
  double range_ratio = 0;
  std::uint32_t prefix_tokens = 0; ///< in front of each prompt
  std::uint32_t prefixes = 1;      ///< so many different ones, each as likely
};

/// When they are sent.
struct drawn_arrivals {
  double rate = 0; ///< a second, in the mean; 0: all at once
  /// The shape of the gamma distribution of the gaps between arrivals: 1 is a Poisson process, less
  /// comes in bursts, more is steadier.
  double burstiness = 1;
};

/// Arrivals of a finite rate are scaled so that the last one comes after requests / rate seconds.
/// For a Poisson process that changes nothing but the total, which it fixes.
request_plan plan_drawn(const drawn_lengths& lengths, const drawn_arrivals& arrivals,
                        std::uint64_t seed);

struct trace_use {
  std::uint64_t requests = 0; ///< its first so many; 0: all
  double speed = 1;           ///< so many times faster than it was recorded
  double scale = 1;           ///< of all lengths, blocks included; each stays at least 1
};

request_plan plan_trace(const trace& recorded, const trace_use& use);

/// `count` requests of the plan's lengths, one after the other and over again, all at once. Their
/// prompts have the plan's prefixes and otherwise nothing in common with it.
request_plan plan_warmup(const request_plan& plan, std::uint32_t count);

} // namespace troupe
