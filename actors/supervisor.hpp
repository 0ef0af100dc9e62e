// Starts the engine when the model is loaded, watches it, and starts it again when any of its
// members dies: then all of them end, since an engine's members know things about each other.
// Restarts are bounded (restart_policy); past the bound the model is unavailable, but the process
// lives and says why. It also knows how the process is, for the health check.
//
//   composition - start_engine, loading, drain > supervisor - spawns > scheduler, kv_blocks,
//   executor stream      - locate_engine >                           - engine_up > admission,
//   streams that asked scheduler   - progressed >                              - health > session
#pragma once

#include "actors/interfaces.hpp"
#include "actors/journal.hpp"
#include "actors/logic/restart_policy.hpp"

#include <chrono>
#include <vector>

namespace troupe {

struct supervisor_settings {
  std::uint32_t max_restarts = 5;
  std::chrono::milliseconds restart_window{60'000};
  std::chrono::milliseconds stall_timeout{60'000};
};

struct supervisor_state {
  restart_policy policy{0, {}};
  engine_maker make;
  engine_members members; // without handles while there is no engine
  std::uint64_t incarnation = 0;
  std::vector<caf::actor_addr> dying; // members of a dead engine that have not ended yet
  caf::actor admission;
  std::vector<caf::actor> askers; // streams that wait for an engine
  health status;
  clock_time last_progress;
  bool idle = true;
  bool draining = false;
};

supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self, supervisor_settings settings,
           telemetry_actor telemetry, journal tell);

} // namespace troupe
