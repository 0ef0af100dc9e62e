// Clients inside the process: they submit to the company's own admission what doors would submit,
// always so many at once, and gather what streams and scheduler report. No socket and no text of a
// protocol is between them and the engine.
#pragma once

#include "actors/engine_messages.hpp"
#include "app/company.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace troupe {

struct offline_work {
  std::uint32_t requests = 0;
  std::uint32_t concurrency = 0; ///< at least 1
  std::uint32_t input = 0;       ///< tokens of each prompt
  std::uint32_t output = 0;      ///< tokens of each answer, whatever they are
  std::uint32_t vocabulary = 0;  ///< ids of prompts are below
  std::uint64_t seed = 0;
};

struct offline_outcome {
  double duration = 0;             ///< seconds, from the first request to the last end
  std::uint64_t output_tokens = 0; ///< that came to the clients
  std::vector<sequence_report> sequences;
  std::vector<step_report> steps; ///< those that computed rows
  std::uint64_t preemptions = 0;
};

/// So many requests have ended.
using offline_watch = std::function<void(std::size_t done)>;

/// Carries out `work` on a company without doors that has loaded its model. Answers are greedy and
/// pass over the ends of sequences. Throws std::runtime_error where a request is refused or fails.
offline_outcome carry_out(company& engine, const offline_work& work, const offline_watch& watch);

/// The prompt of request `number`: the same for the same seed, whatever else is asked.
token_ids offline_prompt(const offline_work& work, std::uint64_t number);

} // namespace troupe
