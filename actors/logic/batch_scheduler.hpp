// Continuous batching with a token budget (Yu et al., Orca, OSDI 2022) and chunked prefill mixed
// with decode (Agrawal et al., Sarathi-Serve, OSDI 2024): which sequences run in the next step, and
// how many tokens of each. No clock, no thread, no actor: time comes in, plans, emissions and
// requests for blocks come out.
//
// A sequence waits (for a slot and a lease), is leasing, runs, or is parked. Up to
// `steps_in_flight` plans are under way: a decode row may be planned before the token it continues
// is known here. A sequence that ended or is taken away keeps its slot and blocks until no step
// under way touches them.
#pragma once

#include "actors/logic/kv_requests.hpp"
#include "actors/logic/sequence.hpp"
#include "model/step.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace troupe {

struct scheduler_limits {
  std::uint32_t max_sequences = 256; ///< slots
  std::uint32_t step_tokens = 2048;  ///< rows a step, at least max_sequences
  std::uint32_t block_tokens = 16;
  std::uint32_t total_blocks = 0; ///< a sequence that needs more is refused
  std::uint32_t lease_ahead = 32; ///< tokens of blocks leased beyond those that are known
  std::uint32_t steps_in_flight = 2;
  bool prefix_cache = true;
};

struct scheduler_counts {
  std::uint32_t running = 0;
  std::uint32_t waiting = 0;
  std::uint32_t parked = 0;
  std::uint64_t preemptions = 0; ///< since the beginning
};

class batch_scheduler {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  batch_scheduler(scheduler_limits limits, std::uint64_t incarnation);
  batch_scheduler(const batch_scheduler&) = delete;
  batch_scheduler& operator=(const batch_scheduler&) = delete;
  ~batch_scheduler();

  /// A sequence to generate. One whose tokens can never fit ends at once with an error: see
  /// take_emissions(). One that is known already is passed over.
  void enqueue(sequence_spec spec);
  /// Nothing of it is emitted any more. True where it has blocks: they come back when no step
  /// touches them.
  bool cancel(sequence_id sequence);
  /// Its blocks are given away and it waits for resume(). What steps under way bring is still
  /// emitted.
  void park(sequence_id sequence);
  void resume(sequence_id sequence);

  /// The next step, or nullopt where nothing can run now or enough steps are under way.
  std::optional<step_plan> plan(time_point now);
  /// A step's result, in the order of the plans. Results of other incarnations are ignored.
  void apply(step_result&& result);
  /// What kv_blocks answered.
  void settle(const kv_replies& replies);

  /// What is to be sent; the caller takes it after every call above.
  kv_requests take_requests();
  std::vector<emission> take_emissions();

  scheduler_counts counts() const;
  /// Neither steps under way nor anything that could run later.
  bool idle() const { return entries_.empty() && under_way_.empty(); }

 private:
  enum class phase : std::uint8_t { waiting, leasing, running, parked };
  enum class fate : std::uint8_t {
    none,
    preempt,
    park,
    end
  }; // what happens once no step touches it

  struct entry;
  struct by_turn { // who comes first: priority, then arrival, then id
    bool operator()(const entry* a, const entry* b) const;
  };
  struct planned_run {
    entry* who = nullptr;
    std::uint32_t tokens = 0;
    bool sample = false;
  };
  struct planned_step {
    std::uint64_t step = 0;
    std::vector<planned_run> runs;
  };

  entry* find(sequence_id sequence);
  std::uint32_t blocks_for(std::uint64_t tokens) const;
  std::uint64_t most_tokens(const entry& e) const;

  void wait(entry& e);
  void lease_those_who_wait();
  void ask_for_lease(entry& e);
  void start(entry& e, const kv_grant& grant);
  void keep_ahead(entry& e);
  void make_room();
  entry* last_in_turn();

  bool add_run(entry& e, std::uint32_t budget, step_plan& plan, planned_step& step, time_point now);
  void apply_slot(entry& e, const planned_run& run, slot_result& result);
  void publish(entry& e);
  void accept(entry& e, emission& out);
  void refuse(const entry& e, finish_reason reason, std::string error);

  void decide(entry& e, fate what);
  void settle_fate(entry& e);
  void leave_slot(entry& e);
  void give_back(entry& e);
  void erase(entry& e);

  scheduler_limits limits_;
  std::uint64_t incarnation_;
  std::uint64_t step_ = 0;
  std::unordered_map<sequence_id, std::unique_ptr<entry>> entries_;
  std::set<entry*, by_turn> waiting_;
  std::vector<entry*> running_;  // have a slot, in no order
  std::vector<entry*> prefills_; // scratch of plan()
  std::vector<slot_id> free_slots_;
  std::vector<slot_id> closed_; // to be told with the next plan
  std::deque<planned_step> under_way_;
  std::uint32_t leasing_ = 0;
  std::uint64_t leasing_tokens_ = 0; // known tokens of those who are leasing
  std::uint32_t leaving_ = 0;        // running entries whose fate is decided
  std::uint64_t releases_ = 0; // sent: a denial that was asked for before one of them says nothing
  bool out_of_blocks_ =
      false; // who is first in turn was denied a lease, and nothing was released since
  kv_requests requests_;
  std::vector<emission> emissions_;
  std::uint64_t preemptions_ = 0;
};

} // namespace troupe
