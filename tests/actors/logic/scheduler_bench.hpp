// A scheduler with a pool and an executor that can be moved by hand, one message at a time.
#pragma once

#include "actors/logic/batch_scheduler.hpp"
#include "actors/logic/block_pool.hpp"

#include <deque>
#include <map>
#include <vector>

namespace troupe {

/// The token that the bench's model gives a sequence as its index-th.
constexpr token_id token_of(sequence_id id, std::uint32_t index) {
  return static_cast<token_id>(1000 * id + index);
}

inline sequence_spec spec_of(sequence_id id, std::uint32_t prompt, std::uint32_t max_tokens) {
  sequence_spec out;
  token_ids ids;
  for (std::uint32_t i = 0; i < prompt; ++i)
    ids.push_back(static_cast<token_id>(1'000'000 * id + i));
  out.id = id;
  out.prompt_tokens = prompt;
  out.ids = std::make_shared<const token_ids>(std::move(ids));
  out.max_tokens = max_tokens;
  out.sampling = std::make_shared<const sampling_params>();
  out.arrival = std::chrono::steady_clock::time_point{std::chrono::seconds{id}};
  return out;
}

/// The same, after it emitted so many tokens in another engine.
inline sequence_spec moved_spec(sequence_id id, std::uint32_t prompt, std::uint32_t max_tokens,
                                std::uint32_t emitted) {
  auto out = spec_of(id, prompt, max_tokens);
  auto ids = *out.ids;
  for (std::uint32_t i = 0; i < emitted; ++i) ids.push_back(token_of(id, i));
  out.ids = std::make_shared<const token_ids>(std::move(ids));
  return out;
}

struct scheduler_bench {
  scheduler_limits limits;
  batch_scheduler scheduler;
  block_pool pool;
  std::map<slot_id, slot_open> slots;
  std::map<slot_id, std::uint32_t> known; // tokens, sampled ones included
  std::vector<emission> emitted;
  kv_requests asked; // what was asked for last
  std::deque<step_plan> under_way;

  explicit scheduler_bench(scheduler_limits with, std::uint64_t incarnation = 1)
      : limits{with}, scheduler{with, incarnation}, pool{with.total_blocks, with.block_tokens,
                                                         "m"} {}

  /// Blocks are asked for and answered until nobody asks.
  void settle() {
    for (;;) {
      collect();
      asked = scheduler.take_requests();
      if (asked.empty()) return;
      scheduler.settle(pool.serve(asked));
    }
  }
  void collect() {
    for (auto& it : scheduler.take_emissions()) emitted.push_back(std::move(it));
  }
  /// The next plan; blocks it asks for are answered before and after.
  std::optional<step_plan> plan() {
    auto out = scheduler.plan({});
    settle();
    if (!out && under_way.size() < limits.steps_in_flight) { // what was granted just now may run
      out = scheduler.plan({});
      settle();
    }
    if (out) under_way.push_back(*out);
    return out;
  }
  /// What the executor makes of the oldest plan.
  step_result compute() {
    const auto plan = under_way.front();
    under_way.pop_front();
    for (const auto slot : plan.closed) slots.erase(slot);
    for (const auto& it : plan.opened) {
      slots[it.slot] = it;
      known[it.slot] = static_cast<std::uint32_t>(it.ids->size());
    }
    step_result out;
    out.incarnation = plan.incarnation;
    out.step = plan.step;
    for (const auto& run : plan.runs) {
      const auto& at = slots.at(run.slot);
      slot_result one;
      one.slot = run.slot;
      one.sequence = at.sequence;
      if (run.sample)
        one.tokens.push_back({token_of(at.sequence, known[run.slot]++ - at.prompt_tokens), 0, {}});
      out.slots.push_back(std::move(one));
    }
    return out;
  }
  void apply(step_result result) {
    scheduler.apply(std::move(result));
    settle();
  }
  void step() {
    plan();
    apply(compute());
  }
  /// Until nothing can be planned; false where that takes too long.
  bool finish(int most_steps = 1000) {
    for (int i = 0; i < most_steps; ++i) {
      while (plan()) {
      }
      if (under_way.empty()) return true;
      apply(compute());
    }
    return false;
  }
  token_ids tokens_of(sequence_id id) const {
    token_ids out;
    for (const auto& it : emitted)
      if (it.sequence == id)
        for (const auto& token : it.tokens) out.push_back(token.id);
    return out;
  }
  std::optional<finish_reason> end_of(sequence_id id) const {
    for (const auto& it : emitted)
      if (it.sequence == id && it.end) return it.end;
    return std::nullopt;
  }
};

/// The tokens of a sequence from its first-th to before its last-th.
inline token_ids expected_tokens(sequence_id id, std::uint32_t first, std::uint32_t last) {
  token_ids out;
  for (auto i = first; i < last; ++i) out.push_back(token_of(id, i));
  return out;
}

inline scheduler_limits small_limits() {
  scheduler_limits out;
  out.max_sequences = 4;
  out.step_tokens = 16;
  out.block_tokens = 4;
  out.total_blocks = 64;
  out.lease_ahead = 8;
  out.steps_in_flight = 2;
  return out;
}

} // namespace troupe
