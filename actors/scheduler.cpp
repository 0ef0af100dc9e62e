#include "actors/scheduler.hpp"

#include <caf/all.hpp>

namespace troupe {
namespace {

using pointer = scheduler_actor::stateful_pointer<scheduler_state>;
using std::chrono::steady_clock;

void forget(pointer self, sequence_id sequence) {
  auto& state = self->state;
  const auto found = state.streams.find(sequence);
  if (found == state.streams.end()) return;
  self->demonitor(found->second);
  state.sequences.erase(found->second.address());
  state.streams.erase(found);
}

void cancel(pointer self, sequence_id sequence) {
  if (self->state.logic->cancel(sequence))
    self->state.cancelled.emplace(sequence, steady_clock::now());
  forget(self, sequence);
}

void send_steps(pointer self) {
  auto& state = self->state;
  while (auto plan = state.logic->plan(steady_clock::now())) {
    std::uint32_t rows = 0;
    for (const auto& run : plan->runs) rows += run.tokens;
    state.sent.push_back({rows, std::exchange(state.resting, false)});
    self->send(state.company.executor, run_step{std::move(*plan)});
  }
}

void send_requests(pointer self) {
  auto& state = self->state;
  auto requests = state.logic->take_requests();
  if (requests.empty()) return;
  if (!state.cancelled.empty()) {
    for (const auto sequence : requests.released) {
      const auto found = state.cancelled.find(sequence);
      if (found == state.cancelled.end()) continue;
      const std::chrono::duration<double> passed = steady_clock::now() - found->second;
      self->send(state.company.telemetry, cancel_report{passed.count()});
      state.cancelled.erase(found);
    }
  }
  self->send(state.company.kv_blocks, kv_work{std::move(requests)});
}

void send_emissions(pointer self) {
  auto& state = self->state;
  for (auto& what : state.logic->take_emissions()) {
    const auto found = state.streams.find(what.sequence);
    if (found == state.streams.end()) continue;
    const auto sequence = what.sequence;
    const bool ended = what.end.has_value();
    state.sampled += static_cast<std::uint32_t>(what.tokens.size());
    self->send(caf::actor_cast<stream_actor>(found->second),
               tokens{state.incarnation, std::move(what)});
    if (ended) forget(self, sequence);
  }
}

// A sequence that is parked waits for its reader, not for a step.
bool waits_for_no_step(pointer self) {
  const auto counts = self->state.logic->counts();
  return counts.running == 0 && counts.waiting == 0;
}

// Tells the supervisor that the engine is well, and whether a step is to be expected from it.
void tell_progress(pointer self) {
  self->state.idle = waits_for_no_step(self);
  self->send(self->state.company.supervisor, progressed{steady_clock::now(), self->state.idle});
}

void report(pointer self, step_report what) {
  auto& state = self->state;
  const auto counts = state.logic->counts();
  what.running = counts.running;
  what.waiting = counts.waiting;
  what.preemptions = static_cast<std::uint32_t>(counts.preemptions - state.preemptions);
  what.sampled_tokens = std::exchange(state.sampled, 0);
  what.mailbox = self->mailbox().size();
  state.preemptions = counts.preemptions;
  state.resting = state.logic->idle();
  self->send(state.company.telemetry, what);
  tell_progress(self);
}

void send_decisions(pointer self) {
  send_steps(self);
  send_requests(self);
  send_emissions(self);
}

void send_all(pointer self) {
  send_decisions(self);
  if (self->state.idle != waits_for_no_step(self)) report(self, {});
}

void take_result(pointer self, step_done& done) {
  const auto begin = steady_clock::now();
  step_report what;
  what.device_seconds = done.result.device_seconds;
  what.gap_seconds = done.result.gap_seconds;
  if (!self->state.sent.empty()) {
    const auto step = self->state.sent.front();
    self->state.sent.pop_front();
    what.batch_tokens = step.rows;
    if (step.after_rest) what.gap_seconds = 0;
  }
  self->state.logic->apply(std::move(done.result));
  send_decisions(self);
  what.scheduler_seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
  report(self, what);
}

} // namespace

scheduler_actor::behavior_type scheduler(pointer self, scheduler_limits limits,
                                         std::uint64_t incarnation, scheduler_company company) {
  self->state.logic = std::make_unique<batch_scheduler>(limits, incarnation);
  self->state.company = std::move(company);
  self->state.incarnation = incarnation;
  self->set_down_handler([self](const caf::down_msg& down) {
    const auto found = self->state.sequences.find(down.source);
    if (found == self->state.sequences.end()) return;
    cancel(self, found->second);
    send_all(self);
  });
  return {
      [self](enqueue& what) {
        auto& state = self->state;
        self->monitor(what.stream);
        state.sequences.emplace(what.stream.address(), what.spec.id);
        state.streams.emplace(what.spec.id, std::move(what.stream));
        state.logic->enqueue(std::move(what.spec));
        send_all(self);
      },
      [self](const cancel_sequence& what) {
        cancel(self, what.sequence);
        send_all(self);
      },
      [self](const park_sequence& what) {
        self->state.logic->park(what.sequence);
        send_all(self);
      },
      [self](const resume_sequence& what) {
        self->state.logic->resume(what.sequence);
        send_all(self);
      },
      [self](const kv_settled& what) {
        self->state.logic->settle(what.replies);
        // Cancelled while it asked: there are no blocks to come back.
        for (const auto sequence : what.replies.not_leased) self->state.cancelled.erase(sequence);
        send_all(self);
      },
      [self](step_done& done) { take_result(self, done); },
  };
}

} // namespace troupe
