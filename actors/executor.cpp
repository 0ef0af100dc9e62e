#include "actors/executor.hpp"

#include <caf/all.hpp>

namespace troupe {
namespace {

// Sends the results that are there, and looks again later while others are to come.
void hand_over(executor_actor::stateful_pointer<executor_state> self) {
  auto& state = self->state;
  while (state.steps->under_way() > 0 && state.steps->ready())
    self->send(state.scheduler, step_done{state.steps->collect()});
  if (state.steps->under_way() > 0 && !std::exchange(state.looking, true))
    self->send(self, look_again{});
}

} // namespace

executor_actor::behavior_type executor(executor_actor::stateful_pointer<executor_state> self,
                                       runner_maker make, journal tell) {
  self->set_exception_handler([tell](std::exception_ptr& problem) -> caf::error {
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& known) {
      tell(log_level::error, "executor", "the device failed", {{"reason", known.what()}});
    }
    return caf::sec::runtime_error;
  });
  self->state.make = std::move(make);
  self->state.steps = self->state.make();
  return {
      [self](run_step& request) {
        self->state.scheduler = caf::actor_cast<scheduler_actor>(self->current_sender());
        self->state.steps->issue(std::move(request.plan));
        hand_over(self);
      },
      [self](look_again) {
        self->state.looking = false;
        hand_over(self);
      },
  };
}

} // namespace troupe
