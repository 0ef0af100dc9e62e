#include "tests/sim/simulation.hpp"

#include "tests/sim/violation.hpp"

#include <chrono>

namespace troupe {
namespace {

constexpr std::uint32_t supervisor = 1;
constexpr std::uint32_t never_give_up = 1000;

std::uint32_t address_of(sequence_id id) { return static_cast<std::uint32_t>(100 + id); }

std::chrono::steady_clock::time_point clock_at(sim_time at) {
  return std::chrono::steady_clock::time_point{std::chrono::microseconds{at}};
}

} // namespace

simulation::simulation(const scenario& world, journal& log)
    : world_{world}, log_{log}, random_{mix(world.seed ^ 0x5eed)},
      events_{random_source{world.seed * 3 + 1}, world.max_delay, world.slow_one_in},
      policy_{never_give_up, std::chrono::seconds{1}}, door_{{world.max_waiting, 1'000'000}} {
  streams_.reserve(world.clients.size());
  for (const auto& it : world.clients) streams_.emplace_back(it);
  may_fail_.resize(world.clients.size());
}

simulation_totals simulation::run() {
  start_engine();
  for (sequence_id id = 1; id <= streams_.size(); ++id) {
    const auto& what = world_.clients[id - 1];
    events_.at(what.arrival, [this, id] { arrive(id); });
    if (what.abandons) events_.at(what.arrival + *what.abandons, [this, id] { abandon(id); });
    if (what.parks) events_.at(what.arrival + *what.parks, [this, id] { rest(id); });
  }
  for (const auto at : world_.deaths) events_.at(at, [this] { kill_engine(); });
  const auto bound = most_events();
  while (events_.advance())
    require(events_.done() < bound, "it comes to an end", "{} events and no end", events_.done());
  check_end();
  simulation_totals out;
  out.events = events_.done();
  out.sequences = streams_.size();
  out.engines = engines_.size();
  for (const auto& it : engines_) out.steps += it->steps();
  return out;
}

// Everybody computed one token a step, alone, and again after every death and preemption, with ten
// messages to each.
std::uint64_t simulation::most_events() const {
  std::uint64_t tokens = 0;
  for (const auto& it : world_.clients) tokens += it.what.ids.size();
  return 2000 + 40 * tokens * (1 + world_.deaths.size());
}

void simulation::start_engine() {
  const auto incarnation = engines_.size() + 1;
  log_.note(events_.now(), "engine {} is up", incarnation);
  engines_.push_back(
      std::make_unique<engine>(world_, events_, log_, incarnation,
                               [this](std::uint64_t of, const emission& what) { emit(of, what); }));
  for (sequence_id id = 1; id <= streams_.size(); ++id)
    if (at(id).admitted)
      events_.send(supervisor, address_of(id),
                   [this, id, incarnation] { engine_up(id, incarnation); });
}

// The executor is lost first. The rest of the engine may go on for a while, even beside its
// successor.
void simulation::kill_engine() {
  auto& dying = current();
  log_.note(events_.now(), "engine {} dies", dying.incarnation());
  dying.lose_executor();
  const auto pause = policy_.died(clock_at(events_.now()));
  require(pause.has_value(), "the supervisor does not give up too early", "after {} engines",
          engines_.size());
  const auto up =
      events_.now() + static_cast<sim_time>(std::chrono::microseconds{*pause}.count()) / 100;
  const auto gone =
      random_.one_in(3) ? up + random_.below(3000) : events_.now() + random_.below(200);
  events_.at(gone, [&dying] { dying.die(); });
  const auto incarnation = dying.incarnation();
  events_.at(up, [this, incarnation] {
    if (engines_.size() != incarnation) return; // another death came first
    start_engine();
    replay_old_results();
  });
}

// Late messages of the executor that died reach the new scheduler.
void simulation::replay_old_results() {
  if (random_.one_in(3)) return;
  auto& next = current();
  for (const auto& result : engines_[engines_.size() - 2]->sent())
    for (int i = 0; i < 2; ++i)
      events_.at(events_.now() + random_.below(3000), [&next, result] { next.learn(result); });
}

void simulation::arrive(sequence_id id) {
  if (const auto error = door_.enter(1, clock_at(events_.now()))) {
    require(error->status == 503 && error->retry_after >= 1 && error->retry_after <= 60 &&
                door_.waiting() == world_.max_waiting,
            "the door refuses when it must", "{} wait", door_.waiting());
    return;
  }
  const auto& spec = world_.clients[id - 1].what.spec;
  door_.wait(id, spec.prompt_tokens);
  require(door_.waiting() <= world_.max_waiting, "not too many wait", "{}", door_.waiting());
  at(id).admitted = true;
  at(id).engine = current().incarnation();
  enqueue(id, spec);
}

void simulation::enqueue(sequence_id id, sequence_spec spec) {
  auto& target = *engines_[at(id).engine - 1];
  events_.send(address_of(id), target.address(),
               [&target, spec = std::move(spec)] { target.enqueue(spec); });
}

void simulation::tell(sequence_id id, void (engine::*what)(sequence_id)) {
  auto& target = *engines_[at(id).engine - 1];
  events_.send(address_of(id), target.address(), [&target, what, id] { (target.*what)(id); });
}

void simulation::emit(std::uint64_t incarnation, const emission& what) {
  if (what.end == finish_reason::error) may_fail_[what.sequence - 1] = true;
  const auto id = what.sequence;
  events_.send(engines_[incarnation - 1]->address(), address_of(id),
               [this, id, incarnation, what] { receive(id, incarnation, what); });
}

void simulation::receive(sequence_id id, std::uint64_t incarnation, const emission& what) {
  auto& it = at(id);
  if (it.abandoned || (it.engine != incarnation && !world_.streams_forget_lives)) return;
  door_.started(id, clock_at(events_.now()));
  if (what.end && it.engine == incarnation) it.told_end = true;
  const auto before = it.reader.generated();
  it.reader.accept(what);
  if (it.reader.generated() > before) it.deaths = 0;
  pump(id);
}

void simulation::engine_up(sequence_id id, std::uint64_t incarnation) {
  auto& it = at(id);
  if (incarnation <= it.engine || it.reader.generation_ended()) return;
  ++it.deaths;
  auto spec = it.reader.move_on();
  if (!spec) {
    require(it.deaths > continuation_rules{}.deaths, "a stream survives the death of its engine",
            "{}", id);
    may_fail_[id - 1] = true;
    it.told_end = true; // the new engine never knew it
    return pump(id);
  }
  require(it.deaths <= continuation_rules{}.deaths, "a stream gives up when too many engines died",
          "{}", id);
  require(spec->ids->size() == spec->prompt_tokens + it.reader.generated(),
          "a stream takes its tokens along", "{} has {} and brings {}", id, it.reader.generated(),
          spec->ids->size() - spec->prompt_tokens);
  it.engine = incarnation;
  enqueue(id, std::move(*spec));
  if (it.parked) tell(id, &engine::park);
}

void simulation::abandon(sequence_id id) {
  auto& it = at(id);
  if (!it.admitted || it.reader.finished()) return;
  it.abandoned = true;
  it.reader.abandon();
  pump(id);
}

void simulation::rest(sequence_id id) {
  auto& it = at(id);
  if (!it.admitted || it.reader.generation_ended()) return;
  it.resting = true;
  events_.at(events_.now() + world_.clients[id - 1].parked_for, [this, id] {
    at(id).resting = false;
    pump(id);
  });
  pump(id);
}

// As a stream's actor does after every message: what can be sent is sent, and a reader who is too
// slow is parked.
void simulation::pump(sequence_id id) {
  auto& it = at(id);
  const auto sent = it.reader.send();
  for (std::uint32_t i = 0; i < sent; ++i)
    events_.at(events_.now() + random_.below(world_.clients[id - 1].reading_time), [this, id] {
      at(id).reader.read();
      pump(id);
    });
  if (it.reader.generation_ended()) {
    door_.ended(id);
    if (!std::exchange(it.told_end, true)) tell(id, &engine::cancel);
    return;
  }
  const bool park = it.resting || it.reader.overfull();
  if (park == it.parked) return;
  it.parked = park;
  tell(id, park ? &engine::park : &engine::resume);
}

void simulation::check_end() {
  for (sequence_id id = 1; id <= streams_.size(); ++id)
    if (at(id).admitted) at(id).reader.check_end(may_fail_[id - 1], at(id).abandoned);
  for (const auto& it : engines_) it->check_empty();
  require(door_.waiting() == 0, "in the end nobody is at the door", "{} are", door_.waiting());
}

} // namespace troupe
