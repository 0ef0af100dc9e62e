// The contract between who plans a step and who computes it: plain data. A plan is a delta to the
// executor's slot table, which lives across steps; a result brings every slot's tokens at once. Two
// plans may be under way: a decode row's input is the token that its slot sampled last, which only
// the executor needs to know.
#pragma once

#include "config/sampling.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// One continuation being generated. Never used twice in a process.
using sequence_id = std::uint64_t;
/// A sequence's place in the executor's batch, 0 <= slot < max_sequences; used again after it was
/// closed.
using slot_id = std::uint32_t;
/// A block of KV cache, 0 <= block < blocks.
using block_id = std::int32_t;

using token_ids = std::vector<token_id>;

/// A sequence takes a slot.
struct slot_open {
  slot_id slot = 0;
  sequence_id sequence = 0;
  std::shared_ptr<const token_ids> ids; ///< prompt, then tokens emitted before (after a preemption)
  std::uint32_t prompt_tokens = 0;      ///< how many of ids are the prompt; <= ids->size()
  std::shared_ptr<const sampling_params> sampling; ///< never null
};

/// A slot's block table gets longer.
struct table_growth {
  slot_id slot = 0;
  std::vector<block_id> blocks; ///< appended in this order
};

/// What one slot computes in this step: `tokens` rows from position `first`.
struct slot_run {
  slot_id slot = 0;
  std::uint32_t first = 0; ///< position of the first row; all before it are in the pages
  std::uint32_t tokens =
      0;               ///< >= 1; rows whose ids are known, or the one that the slot sampled last
  bool sample = false; ///< the last row is the sequence's last known token: choose the next
  std::vector<token_id> drafts; ///< proposed next tokens, computed behind the rows and accepted
                                ///< while they are what is sampled
};

/// One forward pass.
struct step_plan {
  std::uint64_t incarnation = 0; ///< which life of the engine planned it
  std::uint64_t step = 0;        ///< counts from 1 in each incarnation
  std::vector<slot_id> closed;   ///< first these are closed,
  std::vector<slot_open> opened; ///< then these opened,
  std::vector<table_growth> grown;
  std::vector<slot_run> runs; ///< then these run, each slot at most once
};

/// A token and its alternatives. Logprobs are -inf where a token was impossible.
struct token_report {
  token_id id = 0;
  float logprob = 0;
  std::vector<std::pair<token_id, float>> top; ///< best first; as many as the request asked for
};

/// What came of a slot_run.
struct slot_result {
  slot_id slot = 0;
  sequence_id sequence = 0;
  std::vector<token_report>
      tokens; ///< sampled, or drafts accepted and one sampled; empty for a prefill chunk
  std::vector<token_report>
      prompt_tokens; ///< where prompt_logprobs was asked: the prompt tokens behind this run's rows
  std::string error; ///< not empty: this request alone failed; its slot must be closed
};

struct step_result {
  std::uint64_t incarnation = 0;
  std::uint64_t step = 0;
  std::vector<slot_result> slots; ///< one for each run, in the plan's order
  double device_seconds = 0;      ///< computing
  double gap_seconds = 0;         ///< idle between the step before and this one
};

} // namespace troupe
