#include "tests/sim/engine.hpp"

#include "tests/sim/violation.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t remembered_results = 16;

std::string show(const step_plan& plan) {
  std::string out = fmt::format("step {}:", plan.step);
  for (const auto slot : plan.closed) out += fmt::format(" close {}", slot);
  for (const auto& it : plan.opened) out += fmt::format(" open {} for {}", it.slot, it.sequence);
  for (const auto& it : plan.grown) out += fmt::format(" grow {} by {}", it.slot, it.blocks.size());
  for (const auto& it : plan.runs)
    out += fmt::format(" run {}[{}+{}{}]", it.slot, it.first, it.tokens, it.sample ? "!" : "");
  return out;
}

std::string show(const kv_requests& requests) {
  std::string out;
  for (const auto& it : requests.published)
    out += fmt::format(" publish {} {}", it.sequence, it.tokens.size());
  for (const auto it : requests.released) out += fmt::format(" release {}", it);
  for (const auto& it : requests.extended)
    out += fmt::format(" extend {} by {}", it.sequence, it.blocks);
  for (const auto& it : requests.leased)
    out += fmt::format(" lease {} blocks for {} keeping {}", it.blocks, it.sequence, it.reserve);
  return out;
}

std::string show(const kv_replies& replies) {
  std::string out;
  for (const auto& it : replies.extended)
    out += fmt::format(" {} +{}", it.sequence, it.blocks.size());
  for (const auto it : replies.not_extended) out += fmt::format(" {} no more", it);
  for (const auto& it : replies.leased)
    out +=
        fmt::format(" {} has {} with {} cached", it.sequence, it.blocks.size(), it.cached_tokens);
  for (const auto it : replies.not_leased) out += fmt::format(" {} none", it);
  return out;
}

} // namespace

engine::engine(const scenario& world, event_queue& events, journal& log, std::uint64_t incarnation,
               listener emit)
    : world_{world}, events_{events}, log_{log}, incarnation_{incarnation}, emit_{std::move(emit)},
      random_{mix(world.seed + incarnation * 77)}, scheduler_{world.limits, incarnation},
      pool_{world.limits.total_blocks, world.limits.block_tokens, "fake"},
      executor_{world, incarnation}, audit_{world, incarnation} {}

void engine::enqueue(sequence_spec spec) {
  if (!alive_) return;
  log_.note(events_.now(), "engine {} gets {} with {} + {} tokens", incarnation_, spec.id,
            spec.prompt_tokens, spec.ids->size() - spec.prompt_tokens);
  audit_.enqueues(spec);
  scheduler_.enqueue(std::move(spec));
  turn();
}

void engine::cancel(sequence_id sequence) {
  if (!alive_) return;
  log_.note(events_.now(), "engine {}: cancel {}", incarnation_, sequence);
  audit_.cancels(sequence);
  scheduler_.cancel(sequence);
  turn();
}

void engine::park(sequence_id sequence) {
  if (!alive_) return;
  log_.note(events_.now(), "engine {}: park {}", incarnation_, sequence);
  audit_.parks(sequence);
  scheduler_.park(sequence);
  turn();
}

void engine::resume(sequence_id sequence) {
  if (!alive_) return;
  log_.note(events_.now(), "engine {}: resume {}", incarnation_, sequence);
  audit_.resumes(sequence);
  scheduler_.resume(sequence);
  turn();
}

void engine::learn(step_result result) {
  if (!alive_) return;
  log_.note(events_.now(), "engine {}: result of step {} of {}", incarnation_, result.step,
            result.incarnation);
  audit_.learns(result);
  scheduler_.apply(std::move(result));
  turn();
}

// As the scheduler's actor does after every message: all that can be planned is planned.
void engine::turn() {
  take_emissions();
  if (!world_.requests_in_one) take_requests();
  while (auto plan = scheduler_.plan(
             std::chrono::steady_clock::time_point{std::chrono::microseconds{events_.now()}})) {
    log_.note(events_.now(), "engine {} plans {}", incarnation_, show(*plan));
    audit_.planned(*plan);
    events_.send(address(), address() + 2, [this, plan = std::move(*plan)] { run(plan); });
    if (!world_.requests_in_one) take_requests();
  }
  take_requests();
  audit_.rests(scheduler_.counts(), pool_.stats());
}

void engine::take_emissions() {
  for (const auto& what : scheduler_.take_emissions()) {
    log_.note(events_.now(), "engine {} emits {} of {} from {}{}", incarnation_, what.tokens.size(),
              what.sequence, what.first, what.end ? ", the end" : "");
    audit_.emitted(what, executor_);
    emit_(incarnation_, what);
  }
}

void engine::take_requests() {
  auto requests = scheduler_.take_requests();
  if (requests.empty()) return;
  log_.note(events_.now(), "engine {} asks:{}", incarnation_, show(requests));
  audit_.asked(requests);
  events_.send(address(), address() + 1,
               [this, requests = std::move(requests)] { serve(requests); });
}

void engine::serve(const kv_requests& requests) {
  if (!alive_) return;
  auto replies = pool_.serve(requests);
  audit_.check_blocks(pool_, executor_, requests, replies);
  if (requests.extended.empty() && requests.leased.empty()) return;
  log_.note(events_.now(), "engine {} grants:{}", incarnation_, show(replies));
  events_.send(address() + 1, address(), [this, replies = std::move(replies)] {
    if (!alive_) return;
    log_.note(events_.now(), "engine {} learns:{}", incarnation_, show(replies));
    audit_.learns(replies);
    scheduler_.settle(replies);
    turn();
  });
}

void engine::run(const step_plan& plan) {
  if (!executor_alive_) return;
  executor_free_ =
      std::max(executor_free_, events_.now()) + random_.between(1, world_.max_step_time);
  events_.at(executor_free_, [this, plan] {
    if (!executor_alive_) return;
    auto result = executor_.run(plan, pool_);
    log_.note(events_.now(), "engine {} ran step {}", incarnation_, plan.step);
    sent_.push_back(result);
    if (sent_.size() > remembered_results) sent_.pop_front();
    events_.send(address() + 2, address(), [this, result = std::move(result)] { learn(result); });
  });
}

void engine::check_empty() const {
  if (!alive_) return;
  require(scheduler_.idle(), "in the end nothing is left", "the scheduler is not idle");
  const auto stats = pool_.stats();
  require(stats.used == 0 && stats.ownerless == 0, "in the end no block is used", "{} are",
          stats.used);
}

} // namespace troupe
