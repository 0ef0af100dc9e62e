#include "actors/executor.hpp"

#include <caf/all.hpp>

namespace troupe {

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
      [self](const run_step& request) {
        const auto scheduler = caf::actor_cast<scheduler_actor>(self->current_sender());
        self->send(scheduler, step_done{self->state.steps->run(request.plan)});
      },
  };
}

} // namespace troupe
