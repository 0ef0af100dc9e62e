// Follows one engine from outside, message by message, and knows what must hold: what a plan may
// contain, who may have blocks and when they must be back, which tokens come out and in what order,
// and that nobody waits without a reason. It learns only what crosses the scheduler's border; it
// never looks inside.
#pragma once

#include "actors/logic/batch_scheduler.hpp"
#include "tests/sim/fake_executor.hpp"
#include "tests/sim/scenario.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace troupe {

class audit {
 public:
  audit(const scenario& world, std::uint64_t incarnation)
      : world_{world}, incarnation_{incarnation} {}

  // What the scheduler is told, each before it hears it.
  void enqueues(const sequence_spec& spec);
  void cancels(sequence_id sequence);
  void parks(sequence_id sequence);
  void resumes(sequence_id sequence);
  void learns(const kv_replies& replies);
  void learns(const step_result& result);

  // What it says.
  void planned(const step_plan& plan);
  void asked(const kv_requests& requests);
  void emitted(const emission& what, const fake_executor& executor);

  /// It has said all it has to say for now.
  void rests(const scheduler_counts& counts, const kv_stats& pool);

  /// Every block is where it should be, and only whole common prefixes are shared; asked after the
  /// pool served requests.
  void check_blocks(const block_pool& pool, const fake_executor& executor,
                    const kv_requests& served, const kv_replies& replies);

  std::uint64_t steps() const { return steps_; }

 private:
  struct view {
    const script* what = nullptr;
    std::uint32_t emitted = 0; // generated tokens, in other engines too
    bool ended = false;        // or cancelled
    bool cancelled = false;
    bool parked = false;
    bool leasing = false;
    bool holding = false;
    std::uint32_t blocks = 0;   // known to the scheduler
    std::uint32_t planned = 0;  // positions
    std::uint32_t known = 0;    // tokens, when all steps under way are done
    std::uint32_t touching = 0; // steps under way
    std::uint32_t skipped = 0;  // plans in a row without it though it could decode
    std::uint32_t whole = 0;    // blocks that the pool may share

    bool alive() const { return !ended && !parked; }
    bool waits() const { return alive() && !leasing && !holding; }
  };
  struct under_way {
    std::uint64_t step = 0;
    std::vector<sequence_id> touched;
  };

  view& at(sequence_id sequence);
  void plan_run(const step_plan& plan, const slot_run& run);
  void check_decoding(const std::vector<sequence_id>& touched);
  void check_turn(sequence_id leased) const;
  void check_reasons_to_wait(const kv_stats& pool) const;
  bool earlier(const view& a, const view& b) const;

  const scenario& world_;
  std::uint64_t incarnation_;
  std::uint64_t steps_ = 0;
  std::uint32_t unanswered_ = 0; // questions to the pool
  std::map<sequence_id, view> views_;
  std::map<slot_id, sequence_id> slots_;
  std::deque<under_way> under_way_;
};

} // namespace troupe
