// What is known of each sequence in the batch: the part of a step plan that outlives the step. A
// plan that contradicts the table costs the slot concerned an error, never the others.
#pragma once

#include "model/step.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe {

/// One sequence's state.
struct slot_state {
  bool open = false;
  std::uint64_t opening = 0; ///< which opening of all slots' made it; no other has the number
  sequence_id sequence = 0;
  token_ids ids; ///< prompt and everything sampled
  std::uint32_t prompt_tokens = 0;
  std::shared_ptr<const sampling_params> sampling;
  sampling_params prompt_sampling;   ///< the same, with as many logprobs as prompt tokens get
  std::vector<block_id> blocks;      ///< only ever appended to
  std::optional<std::uint32_t> next; ///< first position that is not in the pages; the first run
                                     ///< says it
  std::uint32_t under_way = 0;       ///< tokens behind ids that steps under way have sampled
  bool drafting = false;             ///< a step under way has drafts: `next` is not known
  bool finite = true;                ///< so far every row's logits were numbers
  std::string error;                 ///< why this slot cannot run any more; empty while it can
};

/// What the table's plans must keep to.
struct slot_limits {
  std::int32_t max_sequences = 0;
  std::int32_t blocks = 0;
  std::int32_t block_tokens = 0;
  std::int32_t max_positions = 0;
  std::int32_t vocab = 0;
};

class slot_table {
 public:
  explicit slot_table(const slot_limits& limits);

  /// A slot that is not open stays as it is. What shares the state keeps it: a step under way may
  /// end after its slot was closed, and must not touch who has the slot then.
  void close(slot_id slot);
  /// A contradiction is kept in the slot's error, for its next run to tell.
  void open(const slot_open& opened);
  void grow(const table_growth& growth);

  /// The slot, or null where there is none of that number.
  std::shared_ptr<slot_state> find(slot_id slot) const;
  /// Why `run` cannot be computed; empty where it can.
  std::string problem_of(const slot_run& run) const;

 private:
  std::string problem_of(const slot_open& opened) const;
  std::string out_of_vocabulary(std::span<const token_id> ids) const;

  slot_limits limits_;
  std::vector<std::shared_ptr<slot_state>> slots_;
  std::uint64_t openings_ = 0;
};

} // namespace troupe
