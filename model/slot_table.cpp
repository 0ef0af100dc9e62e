// All checks of a plan are here, and all of them answer with text: the device's ops check nothing.
#include "model/slot_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

slot_table::slot_table(const slot_limits& limits)
    : limits_(limits), slots_(static_cast<std::size_t>(limits.max_sequences)) {
  for (auto& slot : slots_) slot = std::make_shared<slot_state>();
}

std::shared_ptr<slot_state> slot_table::find(slot_id slot) const {
  return slot < slots_.size() ? slots_[slot] : nullptr;
}

void slot_table::close(slot_id slot) {
  if (slot < slots_.size()) slots_[slot] = std::make_shared<slot_state>();
}

void slot_table::open(const slot_open& opened) {
  const auto before = find(opened.slot);
  if (!before) return;
  std::string error = problem_of(opened);
  if (before->open)
    error = fmt::format("slot {} was opened for sequence {} while sequence {} had it", opened.slot,
                        opened.sequence, before->sequence);
  const auto state = slots_[opened.slot] = std::make_shared<slot_state>();
  state->open = true;
  state->opening = ++openings_;
  state->sequence = opened.sequence;
  state->error = std::move(error);
  if (!state->error.empty()) return;
  state->ids = *opened.ids;
  state->prompt_tokens = opened.prompt_tokens;
  state->sampling = opened.sampling;
  state->prompt_sampling = *opened.sampling;
  state->prompt_sampling.logprobs = opened.sampling->prompt_logprobs;
}

void slot_table::grow(const table_growth& growth) {
  const auto state = find(growth.slot);
  if (!state || !state->open) return;
  for (const block_id block : growth.blocks) {
    if (block < 0 || block >= limits_.blocks) {
      state->error = fmt::format("block {} is not in [0, {})", block, limits_.blocks);
      return;
    }
    state->blocks.push_back(block);
  }
}

std::string slot_table::out_of_vocabulary(std::span<const token_id> ids) const {
  const auto bad =
      std::ranges::find_if(ids, [&](token_id id) { return id < 0 || id >= limits_.vocab; });
  return bad == ids.end() ? "" : fmt::format("token id {} is not in [0, {})", *bad, limits_.vocab);
}

std::string slot_table::problem_of(const slot_open& opened) const {
  if (!opened.ids || opened.ids->empty()) return "a sequence needs at least one token";
  if (!opened.sampling) return "a sequence needs sampling parameters";
  if (opened.prompt_tokens > opened.ids->size())
    return fmt::format("{} prompt tokens are more than the {} ids", opened.prompt_tokens,
                       opened.ids->size());
  if (std::string error = out_of_vocabulary(*opened.ids); !error.empty()) return error;
  token_ids named = opened.sampling->suppressed;
  for (const auto& [id, bias] : opened.sampling->logit_bias) named.push_back(id);
  return out_of_vocabulary(named);
}

std::string slot_table::problem_of(const slot_run& run) const {
  const auto state = find(run.slot);
  if (!state || !state->open) return fmt::format("slot {} is not open", run.slot);
  if (!state->error.empty()) return state->error;
  const std::uint64_t sequence_tokens = state->ids.size() + state->under_way;
  const std::uint64_t known = std::uint64_t{run.first} + run.tokens;
  const std::uint64_t end = known + run.drafts.size();
  if (run.tokens == 0) return "a run needs at least one token";
  if (state->next && *state->next != run.first)
    return fmt::format("the run begins at position {}, the pages end at {}", run.first,
                       *state->next);
  if (known > sequence_tokens)
    return fmt::format("the run ends at position {}, {} tokens are known", known, sequence_tokens);
  if (run.sample && known != sequence_tokens)
    return fmt::format("sampling needs the last known token, {}, in the run, which ends at {}",
                       sequence_tokens, known);
  if (!run.drafts.empty() && !run.sample) return "drafts need a run that samples";
  if (end > static_cast<std::uint64_t>(limits_.max_positions))
    return fmt::format("the run ends at position {}, the model has {}", end, limits_.max_positions);
  const std::uint64_t capacity =
      state->blocks.size() * static_cast<std::uint64_t>(limits_.block_tokens);
  if (end > capacity)
    return fmt::format("the run ends at position {}, its {} blocks hold {}", end,
                       state->blocks.size(), capacity);
  return out_of_vocabulary(run.drafts);
}

} // namespace troupe
