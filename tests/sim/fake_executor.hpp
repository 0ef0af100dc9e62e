// An executor without arithmetic. It keeps the slot table that the contract in model/step.hpp
// describes, and a KV memory whose every cell remembers which prefix it was computed from. Whatever
// a run would read is looked at before: the wrong block, a block used again too early or a token
// left out is seen at once, where it happens.
#pragma once

#include "actors/logic/block_pool.hpp"
#include "tests/sim/scenario.hpp"

#include <cstdint>
#include <unordered_set>
#include <vector>

namespace troupe {

class fake_executor {
 public:
  fake_executor(const scenario& world, std::uint64_t incarnation);

  /// Runs a step, with the pool as it stands. Throws violation.
  step_result run(const step_plan& plan, const block_pool& pool);

  /// Does the block hold, whole, what this sequence computes at its table's place `index`?
  bool holds(block_id block, const script& it, std::uint32_t index) const;
  const std::unordered_set<sequence_id>& failed() const { return failed_; }

 private:
  struct slot {
    const script* what = nullptr; // null: closed
    std::uint32_t known = 0;      // tokens, those sampled included
    std::uint32_t next = 0;       // position; all before it were computed or came from the cache
    bool ran = false;
    bool failed = false;
    std::vector<block_id> table;
  };

  void open(const slot_open& opened);
  slot_result run_slot(const slot_run& run, const block_pool& pool);
  void compute(slot& at, const slot_run& run);
  std::uint64_t& cell(const slot& at, std::uint32_t position);

  const scenario& world_;
  std::uint64_t incarnation_;
  std::uint64_t steps_ = 0;
  random_source random_;
  std::vector<slot> slots_;
  std::vector<std::uint64_t> memory_; // [blocks, block_tokens], hash of the prefix up to there
  std::unordered_set<sequence_id> failed_;
};

} // namespace troupe
