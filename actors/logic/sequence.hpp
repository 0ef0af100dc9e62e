// What a stream hands to a scheduler and what it gets back, step by step.
#pragma once

#include "actors/request.hpp"
#include "model/step.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A continuation to generate. One that moved from another engine brings what it has emitted so far
/// in ids.
struct sequence_spec {
  sequence_id id = 0;
  std::shared_ptr<const token_ids> ids; ///< prompt, then tokens emitted before; never empty
  std::uint32_t prompt_tokens = 0;      ///< 1 <= prompt_tokens <= ids->size()
  std::uint32_t max_tokens = 1;         ///< generated tokens in all, those in ids included; >= 1
  std::shared_ptr<const sampling_params> sampling;
  std::vector<token_id> stop_ids; ///< any of these ends it: end of sequence and the request's own
  std::int32_t priority = 0;      ///< lower runs earlier
  std::chrono::steady_clock::time_point arrival;
  std::string salt; ///< of the prefix cache
};

/// What a step brought a sequence.
struct emission {
  sequence_id sequence = 0;
  std::uint32_t first = 0; ///< index of tokens[0] among the sequence's generated tokens
  std::vector<token_report> tokens;
  std::uint32_t prompt_first = 0; ///< how many reports of the prompt came before prompt_tokens[0];
                                  ///< starts over when the prompt is computed again
  std::vector<token_report> prompt_tokens; ///< logprobs of the prompt, where asked
  std::optional<finish_reason> end;        ///< nothing comes after it
  std::string error;                       ///< with end = error: why
  std::uint32_t cached_tokens = 0;         ///< of its prompt, found in the prefix cache at first
  std::chrono::steady_clock::time_point scheduled; ///< when it was first planned
};

} // namespace troupe
