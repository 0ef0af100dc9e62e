// Runs steps on one device, in the order in which they come, and decides nothing. It owns the
// runner with its slot table and KV pages. When the device fails for good the runner throws, and
// this actor dies with it: its supervisor makes a new engine.
//
//   scheduler - run_step > executor - look_again > itself
//             < step_done -
//
// While a device works on a step, the executor issues the next one if it comes, and else looks
// whether the step is done, without sleeping: it has a thread of its own, and a step is shorter
// than a thread takes to wake up in good time. On the processor a step is done when it is issued.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/journal.hpp"
#include "model/runner.hpp"

#include <functional>
#include <memory>

namespace troupe {

/// Makes a runner; called on the executor's own thread, where device state must be made.
using runner_maker = std::function<std::unique_ptr<runner>()>;

struct executor_state {
  runner_maker make; // holds the device, which must outlive the runner
  std::unique_ptr<runner> steps;
  scheduler_actor scheduler;
  bool looking = false; // look_again is on its way
};

executor_actor::behavior_type executor(executor_actor::stateful_pointer<executor_state> self,
                                       runner_maker make, journal tell);

} // namespace troupe
