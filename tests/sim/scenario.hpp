// What happens in one simulated life, drawn from its seed: limits, sequences, and what goes wrong.
#pragma once

#include "actors/logic/batch_scheduler.hpp"
#include "tests/sim/event_queue.hpp"
#include "tests/sim/script.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

struct simulated_client {
  script what;
  sim_time arrival = 0;
  std::optional<sim_time> abandons; ///< after its arrival
  std::uint32_t credit = 4;
  std::uint32_t buffer_bytes = 1 << 20;
  std::uint32_t reading_time = 1; ///< a piece, at most
  std::optional<sim_time> parks;  ///< after its arrival it is parked once, for no reason
  std::uint32_t parked_for = 0;
};

struct scenario {
  std::uint64_t seed = 0;
  scheduler_limits limits;
  std::uint32_t max_delay = 0;
  std::uint32_t slow_one_in = 100;
  std::uint32_t max_step_time = 100;
  std::uint32_t slot_error_one_in = 0; ///< runs; 0 never
  std::vector<sim_time> deaths;        ///< of the executor
  bool requests_in_one =
      true; ///< blocks are asked for after all plans, as the actor does, or after each
  bool streams_forget_lives = false; ///< streams listen to engines that were replaced, too
  std::uint32_t max_waiting = 1024;  ///< at the door
  std::vector<simulated_client> clients;
};

scenario draw_scenario(std::uint64_t seed);

} // namespace troupe
