// The door that every request passes: may it run? What can be refused without work is refused at
// once; then a worker of the pool renders and tokenizes, the rules that need the prompt's length
// are applied, and each choice becomes a stream.
//
//   session - submit > admission - spawns > worker
//           < refused -          < prompt_prepared -
//           < accepted -         - spawns > stream
//                                < stream_started, down -
#pragma once

#include "actors/front_model.hpp"
#include "actors/interfaces.hpp"
#include "actors/journal.hpp"
#include "actors/logic/admission_queue.hpp"

#include <chrono>
#include <memory>
#include <random>
#include <unordered_map>

namespace troupe {

struct admission_settings_of_streams {
  std::chrono::milliseconds default_timeout{600'000};
  std::chrono::milliseconds max_timeout{3'600'000};
  std::chrono::milliseconds slow_reader_timeout{30'000};
  std::size_t stream_buffer = 262144; ///< bytes of one answer unread before its sequence is parked
  bool tell_prompts = false;          ///< the journal gets the text of prompts
};

/// Whom admission works with.
struct admission_company {
  supervisor_actor supervisor;
  telemetry_actor telemetry;
  journal tell;
};

struct admission_state {
  std::unique_ptr<admission_queue> queue;
  std::shared_ptr<const front_model> model; // null while it is being loaded
  engine_up engine;
  std::unordered_map<caf::actor_addr, sequence_id> streams;
  std::uint32_t preparing = 0;
  sequence_id next_sequence = 1;
  std::mt19937_64 seeds{std::random_device{}()}; // for requests without one
  bool draining = false;
  caf::actor drain_asker;
};

admission_actor::behavior_type admission(admission_actor::stateful_pointer<admission_state> self,
                                         admission_limits limits,
                                         admission_settings_of_streams settings,
                                         admission_company company);

} // namespace troupe
