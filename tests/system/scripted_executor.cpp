#include "tests/system/scripted_executor.hpp"

#include <caf/all.hpp>

#include <stdexcept>
#include <thread>

namespace troupe {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

void apply(scripted_state& state, const scripted_behavior& behavior, const step_plan& plan) {
  require(plan.step == ++state.steps, "steps count from one");
  for (const auto slot : plan.closed)
    require(state.slots.erase(slot) == 1, "only open slots are closed");
  for (const auto& opened : plan.opened) {
    scripted_slot at;
    at.sequence = opened.sequence;
    at.seed = opened.sampling->seed;
    at.prompt = opened.prompt_tokens;
    at.known = static_cast<std::uint32_t>(opened.ids->size());
    at.logprobs = opened.sampling->logprobs;
    at.state = behavior.words->begin(at.seed);
    for (const auto id : *opened.ids) at.state = behavior.words->follow(at.state, id);
    require(state.slots.emplace(opened.slot, at).second, "a slot has one sequence");
  }
}

std::vector<token_report> say(scripted_slot& at, const scripted_behavior& behavior,
                              const slot_run& run) {
  if (at.failed) throw std::runtime_error("it failed before"); // planned before that was known
  require(run.first + run.tokens <= at.known, "rows are of known tokens");
  require(run.sample == (run.first + run.tokens == at.known), "the last known token samples");
  if (at.seed == behavior.poisoned_seed && at.known >= at.prompt + behavior.poisoned_after)
    throw std::runtime_error("this request is poisoned");
  if (!run.sample) return {};
  const auto id = behavior.words->next(at.state);
  at.state = behavior.words->follow(at.state, id);
  ++at.known;
  token_report out{id, 0, {}};
  for (std::int32_t i = 0; i < at.logprobs; ++i) out.top.emplace_back((id + i) % 4000, 0.0F);
  return {out};
}

step_result run(scripted_state& state, const scripted_behavior& behavior, const step_plan& plan) {
  apply(state, behavior, plan);
  require(behavior.lifetime == 0 || state.steps <= behavior.lifetime, "its time has come");
  if (behavior.step_time.count() > 0) std::this_thread::sleep_for(behavior.step_time);
  step_result out;
  out.incarnation = plan.incarnation;
  out.step = plan.step;
  for (const auto& run : plan.runs) {
    auto& at = state.slots.at(run.slot);
    auto& result = out.slots.emplace_back();
    result.slot = run.slot;
    result.sequence = at.sequence;
    try {
      result.tokens = say(at, behavior, run);
    } catch (const std::runtime_error& problem) {
      result.error = problem.what();
      at.failed = true;
    }
  }
  return out;
}

} // namespace

executor_actor::behavior_type
scripted_executor(executor_actor::stateful_pointer<scripted_state> self,
                  scripted_behavior behavior) {
  return {
      [self, behavior](const run_step& request) {
        self->send(caf::actor_cast<scheduler_actor>(self->current_sender()),
                   step_done{run(self->state, behavior, request.plan)});
      },
      [](look_again) {},
  };
}

} // namespace troupe
