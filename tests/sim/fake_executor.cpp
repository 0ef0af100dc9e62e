#include "tests/sim/fake_executor.hpp"

#include "tests/sim/violation.hpp"

#include <algorithm>

namespace troupe {

fake_executor::fake_executor(const scenario& world, std::uint64_t incarnation)
    : world_{world}, incarnation_{incarnation}, random_{mix(world.seed) + incarnation},
      slots_(world.limits.max_sequences),
      memory_(std::size_t{world.limits.total_blocks} * world.limits.block_tokens, 0) {}

std::uint64_t& fake_executor::cell(const slot& at, std::uint32_t position) {
  const auto size = world_.limits.block_tokens;
  return memory_[static_cast<std::size_t>(at.table[position / size]) * size + position % size];
}

bool fake_executor::holds(block_id block, const script& it, std::uint32_t index) const {
  const auto size = world_.limits.block_tokens;
  for (std::uint32_t i = 0; i < size; ++i)
    if (memory_[static_cast<std::size_t>(block) * size + i] != it.prefix[index * size + i])
      return false;
  return true;
}

step_result fake_executor::run(const step_plan& plan, const block_pool& pool) {
  require(plan.incarnation == incarnation_, "plans are of this life", "plan of {} in {}",
          plan.incarnation, incarnation_);
  ++steps_;
  require(plan.step == steps_, "steps count from one", "step {} came after {}", plan.step,
          steps_ - 1);
  const auto slot_count = static_cast<slot_id>(slots_.size());
  for (const auto id : plan.closed) {
    require(id < slot_count && slots_[id].what, "only open slots are closed", "slot {}", id);
    slots_[id] = {};
  }
  for (const auto& opened : plan.opened) open(opened);
  for (const auto& grown : plan.grown) {
    require(grown.slot < slot_count && slots_[grown.slot].what, "only open slots grow", "slot {}",
            grown.slot);
    auto& table = slots_[grown.slot].table;
    table.insert(table.end(), grown.blocks.begin(), grown.blocks.end());
  }
  step_result out;
  out.incarnation = incarnation_;
  out.step = plan.step;
  for (const auto& run : plan.runs) out.slots.push_back(run_slot(run, pool));
  return out;
}

void fake_executor::open(const slot_open& opened) {
  require(opened.slot < slots_.size(), "slots are in range", "slot {}", opened.slot);
  auto& at = slots_[opened.slot];
  require(!at.what, "a slot has one sequence", "slot {} has {} and is given {}", opened.slot,
          at.what ? at.what->spec.id : 0, opened.sequence);
  for (const auto& other : slots_)
    require(!other.what || other.what->spec.id != opened.sequence, "a sequence has one slot", "{}",
            opened.sequence);
  const auto& it = world_.clients.at(opened.sequence - 1).what;
  const auto& ids = *opened.ids;
  require(opened.prompt_tokens == it.spec.prompt_tokens && ids.size() >= it.spec.prompt_tokens &&
              ids.size() < it.ids.size() && std::equal(ids.begin(), ids.end(), it.ids.begin()),
          "a slot opens with the sequence's tokens", "{} with {} tokens", opened.sequence,
          ids.size());
  at.what = &it;
  at.known = static_cast<std::uint32_t>(ids.size());
}

slot_result fake_executor::run_slot(const slot_run& run, const block_pool& pool) {
  require(run.slot < slots_.size() && slots_[run.slot].what, "only open slots run", "slot {}",
          run.slot);
  auto& at = slots_[run.slot];
  const auto& it = *at.what;
  const auto id = it.spec.id;
  slot_result out;
  out.slot = run.slot;
  out.sequence = id;
  if (at.failed) { // planned before the failure was known
    out.error = "it failed before";
    return out;
  }
  const auto end = run.first + run.tokens;
  require(run.tokens > 0 && end <= at.known, "rows are of known tokens", "{} at {} to {} of {}", id,
          run.first, end, at.known);
  require(!at.ran || run.first == at.next, "rows follow each other", "{} at {} after {}", id,
          run.first, at.next);
  require(run.sample == (end == at.known), "the last known token samples", "{} at {} of {}", id,
          end, at.known);
  require(end <= at.table.size() * world_.limits.block_tokens, "there is room for the rows",
          "{} at {} in {} blocks", id, end, at.table.size());
  const auto owned = pool.blocks_of(id);
  require(owned.size() >= at.table.size() &&
              std::equal(at.table.begin(), at.table.end(), owned.begin()),
          "the table is as the pool says", "{} runs with {} blocks and owns {}", id,
          at.table.size(), owned.size());
  compute(at, run);
  if (world_.slot_error_one_in > 0 && random_.one_in(world_.slot_error_one_in)) at.failed = true;
  if (at.failed) {
    failed_.insert(id);
    out.error = "it failed";
    return out;
  }
  if (it.spec.sampling->prompt_logprobs >= 0)
    for (auto position = run.first; position < end && position + 1 < it.spec.prompt_tokens;
         ++position)
      out.prompt_tokens.push_back({it.ids[position + 1], 0, {}});
  if (run.sample) {
    require(at.known < it.ids.size(), "nothing is computed beyond the last token", "{} has {}", id,
            at.known);
    out.tokens.push_back({it.ids[at.known++], 0, {}});
  }
  return out;
}

void fake_executor::compute(slot& at, const slot_run& run) {
  const auto& it = *at.what;
  for (std::uint32_t position = 0; position < run.first; ++position)
    require(cell(at, position) == it.prefix[position],
            "what is read was computed from the same prefix", "{} reads position {} in block {}",
            it.spec.id, position, at.table[position / world_.limits.block_tokens]);
  for (auto position = run.first; position < run.first + run.tokens; ++position)
    cell(at, position) = it.prefix[position];
  at.next = run.first + run.tokens;
  at.ran = true;
}

} // namespace troupe
