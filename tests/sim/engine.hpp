// One life of an engine: scheduler, pool and executor, joined by messages as their actors join
// them. Parts of it may be dead while others still talk.
#pragma once

#include "tests/sim/audit.hpp"
#include "tests/sim/event_queue.hpp"
#include "tests/sim/journal.hpp"

#include <functional>

namespace troupe {

class engine {
 public:
  using listener = std::function<void(std::uint64_t incarnation, const emission&)>;

  /// `emit` is called with what the scheduler says to a sequence's stream, at the time when it is
  /// sent.
  engine(const scenario& world, event_queue& events, journal& log, std::uint64_t incarnation,
         listener emit);
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  // The scheduler receives.
  void enqueue(sequence_spec spec);
  void cancel(sequence_id sequence);
  void park(sequence_id sequence);
  void resume(sequence_id sequence);
  void learn(step_result result);

  /// The device is lost: nothing more is computed.
  void lose_executor() { executor_alive_ = false; }
  /// All of it is gone.
  void die() { alive_ = executor_alive_ = false; }

  std::uint64_t incarnation() const { return incarnation_; }
  std::uint64_t steps() const { return audit_.steps(); }
  std::uint32_t address() const {
    return static_cast<std::uint32_t>(1'000'000 + incarnation_ * 10);
  }
  /// The results that its executor has sent so far, the last few.
  const std::deque<step_result>& sent() const { return sent_; }
  /// Nothing is left of anything; throws violation otherwise.
  void check_empty() const;

 private:
  void turn();
  void take_emissions();
  void take_requests();
  void serve(const kv_requests& requests);
  void run(const step_plan& plan);

  const scenario& world_;
  event_queue& events_;
  journal& log_;
  std::uint64_t incarnation_;
  listener emit_;
  random_source random_;
  batch_scheduler scheduler_;
  block_pool pool_;
  fake_executor executor_;
  audit audit_;
  bool alive_ = true;
  bool executor_alive_ = true;
  sim_time executor_free_ = 0;
  std::deque<step_result> sent_;
};

} // namespace troupe
