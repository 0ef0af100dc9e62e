// The world of one seed: clients come and go, engines die and are started again, until everybody
// has what was asked for.
#pragma once

#include "actors/logic/admission_queue.hpp"
#include "actors/logic/restart_policy.hpp"
#include "tests/sim/client.hpp"
#include "tests/sim/engine.hpp"
#include "tests/sim/journal.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace troupe {

struct simulation_totals {
  std::uint64_t steps = 0;
  std::uint64_t events = 0;
  std::uint64_t sequences = 0;
  std::uint64_t engines = 0;
};

class simulation {
 public:
  simulation(const scenario& world, journal& log);

  /// To the end. Throws violation.
  simulation_totals run();

 private:
  struct stream {
    explicit stream(const simulated_client& what) : reader{what} {}
    client reader;
    std::uint64_t engine = 0; // incarnation, 0: none
    bool admitted = false;
    bool parked = false;
    bool resting = false; // parked for no reason, for a time
    bool abandoned = false;
    bool told_end = false;    // the engine said so itself
    std::uint32_t deaths = 0; // in a row, without a token in between
  };

  stream& at(sequence_id id) { return streams_[id - 1]; }
  engine& current() { return *engines_.back(); }
  void start_engine();
  void kill_engine();
  void replay_old_results();
  void arrive(sequence_id id);
  void emit(std::uint64_t incarnation, const emission& what);
  void receive(sequence_id id, std::uint64_t incarnation, const emission& what);
  void engine_up(sequence_id id, std::uint64_t incarnation);
  void abandon(sequence_id id);
  void rest(sequence_id id);
  void pump(sequence_id id);
  void tell(sequence_id id, void (engine::*what)(sequence_id));
  void enqueue(sequence_id id, sequence_spec spec);
  void check_end();
  std::uint64_t most_events() const;

  const scenario& world_;
  journal& log_;
  random_source random_;
  event_queue events_;
  restart_policy policy_;
  admission_queue door_;
  std::vector<std::unique_ptr<engine>> engines_;
  std::vector<stream> streams_;
  std::vector<bool> may_fail_;
};

} // namespace troupe
