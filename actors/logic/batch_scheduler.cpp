#include "actors/logic/batch_scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace troupe {
namespace {

// Room for so many generated tokens is made at once, so that sequences that started together do not
// all move their tokens in the same step.
constexpr std::uint32_t tokens_ahead = 4096;

} // namespace

struct batch_scheduler::entry {
  sequence_spec spec;
  token_ids ids; // known: prompt and confirmed tokens
  phase where = phase::waiting;
  fate then = fate::none;
  slot_id slot = 0;
  std::uint32_t place = 0;       // in running_
  bool opened = false;           // the executor was told of its slot
  bool extending = false;        // asked for more blocks
  bool short_of_blocks = false;  // they were denied, and nothing was released since
  std::vector<block_id> to_grow; // granted, the executor not told yet
  std::uint32_t blocks = 0;      // leased
  std::uint32_t published = 0;   // blocks
  std::uint32_t computed = 0;    // positions whose keys and values are there, confirmed
  std::uint32_t planned = 0;     // the same, steps under way included
  std::uint32_t touching = 0;    // steps under way with it
  std::uint32_t pending = 0;     // of them, those that sample
  std::uint64_t asked_after = 0; // releases that had been sent when it last asked for blocks
  std::uint32_t prompt_told = 0; // reports of prompt tokens emitted since it was leased
  std::uint32_t cached = 0;      // prompt tokens found in the cache at first
  bool leased_before = false;
  bool started = false;
  time_point scheduled;

  // Tokens that will be known when all steps under way are done.
  std::uint32_t expected() const { return static_cast<std::uint32_t>(ids.size()) + pending; }
  std::uint32_t generated() const {
    return static_cast<std::uint32_t>(ids.size()) - spec.prompt_tokens;
  }
  // Rows that could be planned now. After a failure, which samples nothing, the rest would make no
  // sense.
  std::uint32_t backlog() const {
    if (then != fate::none) return 0;
    return expected() - spec.prompt_tokens >= spec.max_tokens ? 0 : expected() - planned;
  }
};

bool batch_scheduler::by_turn::operator()(const entry* a, const entry* b) const {
  return std::tie(a->spec.priority, a->spec.arrival, a->spec.id) <
         std::tie(b->spec.priority, b->spec.arrival, b->spec.id);
}

batch_scheduler::batch_scheduler(scheduler_limits limits, std::uint64_t incarnation)
    : limits_{limits}, incarnation_{incarnation} {
  for (slot_id slot = limits_.max_sequences; slot-- > 0;) free_slots_.push_back(slot);
}

batch_scheduler::~batch_scheduler() = default;

batch_scheduler::entry* batch_scheduler::find(sequence_id sequence) {
  const auto found = entries_.find(sequence);
  return found == entries_.end() ? nullptr : found->second.get();
}

std::uint32_t batch_scheduler::blocks_for(std::uint64_t tokens) const {
  return static_cast<std::uint32_t>((tokens + limits_.block_tokens - 1) / limits_.block_tokens);
}

// The last generated token is never an input: it needs no room.
std::uint64_t batch_scheduler::most_tokens(const entry& e) const {
  return std::uint64_t{e.spec.prompt_tokens} + e.spec.max_tokens - 1;
}

void batch_scheduler::enqueue(sequence_spec spec) {
  if (find(spec.id)) return;
  auto owned = std::make_unique<entry>();
  auto& e = *owned;
  e.ids = *spec.ids;
  e.spec = std::move(spec);
  e.spec.ids.reset();
  if (e.generated() >= e.spec.max_tokens) return refuse(e, finish_reason::length, {});
  const auto needed = (most_tokens(e) + limits_.block_tokens - 1) / limits_.block_tokens;
  if (needed > limits_.total_blocks)
    return refuse(e, finish_reason::error,
                  fmt::format("{} tokens need {} blocks of KV cache and there are {}",
                              most_tokens(e), needed, limits_.total_blocks));
  entries_[e.spec.id] = std::move(owned);
  wait(e);
}

// It never becomes an entry: nothing has to be undone.
void batch_scheduler::refuse(const entry& e, finish_reason reason, std::string error) {
  emission out;
  out.sequence = e.spec.id;
  out.first = e.generated();
  out.end = reason;
  out.error = std::move(error);
  emissions_.push_back(std::move(out));
}

bool batch_scheduler::cancel(sequence_id sequence) {
  auto* e = find(sequence);
  if (!e) return false;
  const bool has_blocks = e->where == phase::running || e->where == phase::leasing;
  decide(*e, fate::end);
  return has_blocks;
}

void batch_scheduler::park(sequence_id sequence) {
  auto* e = find(sequence);
  if (e && e->where != phase::parked && e->then != fate::end) decide(*e, fate::park);
}

void batch_scheduler::resume(sequence_id sequence) {
  auto* e = find(sequence);
  if (!e) return;
  if (e->where == phase::parked)
    wait(*e);
  else if (e->then == fate::park) // on its way out: it comes back by itself
    e->then = e->where == phase::leasing ? fate::none : fate::preempt;
}

std::optional<step_plan> batch_scheduler::plan(time_point now) {
  const bool full = under_way_.size() >= limits_.steps_in_flight;
  if (!full) make_room();
  lease_those_who_wait();
  if (full) return std::nullopt;

  step_plan plan;
  planned_step step;
  auto budget = limits_.step_tokens;
  prefills_.clear();
  // Decode first: one row each, so that nobody who is being read stands still for a long prompt.
  for (auto* e : running_) {
    if (e->then != fate::none) continue;
    const auto backlog = e->backlog();
    if (backlog > 1)
      prefills_.push_back(e);
    else if (backlog == 1 && budget > 0 && add_run(*e, 1, plan, step, now))
      --budget;
    keep_ahead(*e);
  }
  std::sort(prefills_.begin(), prefills_.end(), by_turn{});
  for (auto* e : prefills_) {
    if (budget == 0) break;
    if (add_run(*e, budget, plan, step, now)) budget -= step.runs.back().tokens;
  }
  if (plan.runs.empty()) return std::nullopt;

  plan.incarnation = incarnation_;
  plan.step = step.step = ++step_;
  plan.closed = std::exchange(closed_, {});
  under_way_.push_back(std::move(step));
  return plan;
}

// As many rows of the sequence as budget, backlog and blocks allow; false where that is none.
bool batch_scheduler::add_run(entry& e, std::uint32_t budget, step_plan& plan, planned_step& step,
                              time_point now) {
  const auto room = static_cast<std::uint32_t>(e.blocks * limits_.block_tokens) - e.planned;
  const auto rows = std::min({budget, e.backlog(), room});
  if (rows == 0) return false;
  if (!e.opened) {
    e.opened = true;
    plan.opened.push_back({e.slot, e.spec.id, std::make_shared<const token_ids>(e.ids),
                           e.spec.prompt_tokens, e.spec.sampling});
  }
  if (!e.to_grow.empty()) plan.grown.push_back({e.slot, std::exchange(e.to_grow, {})});
  if (!e.started) {
    e.started = true;
    e.scheduled = now;
  }
  const auto sample = e.planned + rows == e.expected();
  plan.runs.push_back({e.slot, e.planned, rows, sample, {}});
  step.runs.push_back({&e, rows, sample});
  e.planned += rows;
  ++e.touching;
  if (sample) ++e.pending;
  return true;
}

void batch_scheduler::apply(step_result&& result) {
  if (result.incarnation != incarnation_ || under_way_.empty() ||
      under_way_.front().step != result.step)
    return;
  const auto step = std::move(under_way_.front());
  under_way_.pop_front();
  result.slots.resize(step.runs.size());
  for (std::size_t i = 0; i < step.runs.size(); ++i)
    apply_slot(*step.runs[i].who, step.runs[i], result.slots[i]);
}

void batch_scheduler::apply_slot(entry& e, const planned_run& run, slot_result& result) {
  --e.touching;
  if (run.sample) --e.pending;
  if (e.then == fate::end) return settle_fate(e);

  if (result.error.empty() && (result.sequence != e.spec.id || run.sample == result.tokens.empty()))
    result.error = "the executor's result does not fit what was planned";
  emission out;
  out.sequence = e.spec.id;
  out.first = e.generated();
  out.cached_tokens = e.cached;
  out.scheduled = e.scheduled;
  if (!result.error.empty()) {
    out.end = finish_reason::error;
    out.error = std::move(result.error);
  } else {
    e.computed += run.tokens;
    out.prompt_first = e.prompt_told;
    out.prompt_tokens = std::move(result.prompt_tokens);
    e.prompt_told += static_cast<std::uint32_t>(out.prompt_tokens.size());
    out.tokens = std::move(result.tokens);
    accept(e, out);
    publish(e);
  }
  const bool ended = out.end.has_value();
  if (ended || !out.tokens.empty() || !out.prompt_tokens.empty())
    emissions_.push_back(std::move(out));
  if (ended)
    decide(e, fate::end);
  else if (e.then != fate::none)
    settle_fate(e);
}

// The sampled tokens become known, up to the one that ends the sequence.
void batch_scheduler::accept(entry& e, emission& out) {
  for (std::size_t i = 0; i < out.tokens.size(); ++i) {
    const auto id = out.tokens[i].id;
    e.ids.push_back(id);
    if (std::find(e.spec.stop_ids.begin(), e.spec.stop_ids.end(), id) != e.spec.stop_ids.end())
      out.end = finish_reason::stop;
    else if (e.generated() >= e.spec.max_tokens)
      out.end = finish_reason::length;
    if (out.end) out.tokens.resize(i + 1);
  }
}

// Whole blocks that are computed can be shared from now on.
void batch_scheduler::publish(entry& e) {
  const auto whole = e.computed / limits_.block_tokens;
  if (!limits_.prefix_cache || whole <= e.published) return;
  const auto first = e.ids.begin() + e.published * limits_.block_tokens;
  requests_.published.push_back(
      {e.spec.id, token_ids(first, e.ids.begin() + whole * limits_.block_tokens)});
  e.published = whole;
}

// Leases are asked for in turn, no further ahead than two steps' worth of prompt, so that blocks
// are not held idle.
void batch_scheduler::lease_those_who_wait() {
  if (waiting_.empty()) return;
  auto backlog = leasing_tokens_;
  for (const auto* e : running_) backlog += e->backlog();
  while (!waiting_.empty() && !out_of_blocks_ && backlog < 2 * std::uint64_t{limits_.step_tokens}) {
    auto& e = **waiting_.begin();
    if (running_.size() + leasing_ >= limits_.max_sequences) {
      auto* last = last_in_turn();
      if (!last || leaving_ > 0 || e.spec.priority >= last->spec.priority) return;
      backlog -= last->backlog();
      decide(*last, fate::preempt);
      if (leaving_ > 0) return; // its slot is free when no step touches it
      continue;
    }
    waiting_.erase(waiting_.begin());
    backlog += e.ids.size();
    ask_for_lease(e);
  }
}

void batch_scheduler::ask_for_lease(entry& e) {
  const auto known = std::make_shared<const token_ids>(e.ids);
  const auto tokens = std::min<std::uint64_t>(known->size() + limits_.lease_ahead, most_tokens(e));
  const bool reuse = limits_.prefix_cache && e.spec.sampling->prompt_logprobs < 0;
  const auto reserve = static_cast<std::uint32_t>(running_.size() + leasing_);
  requests_.leased.push_back({e.spec.id, known,
                              blocks_for(std::max<std::uint64_t>(tokens, known->size())), reserve,
                              e.spec.salt, reuse});
  e.where = phase::leasing;
  e.asked_after = releases_;
  ++leasing_;
  leasing_tokens_ += known->size();
}

void batch_scheduler::settle(const kv_replies& replies) {
  for (const auto& grant : replies.extended) {
    auto* e = find(grant.sequence);
    if (!e || !e->extending) continue;
    e->extending = false;
    e->blocks += static_cast<std::uint32_t>(grant.blocks.size());
    e->to_grow.insert(e->to_grow.end(), grant.blocks.begin(), grant.blocks.end());
  }
  for (const auto sequence : replies.not_extended) {
    auto* e = find(sequence);
    if (!e || !e->extending) continue;
    e->extending = false;
    e->short_of_blocks = e->asked_after == releases_;
  }
  for (const auto& grant : replies.leased)
    if (auto* e = find(grant.sequence); e && e->where == phase::leasing) start(*e, grant);
  for (const auto sequence : replies.not_leased) {
    auto* e = find(sequence);
    if (!e || e->where != phase::leasing) continue;
    --leasing_;
    leasing_tokens_ -= e->ids.size();
    const auto then = std::exchange(e->then, fate::none);
    wait(*e);
    const bool itself = sequence == replies.not_leased.front(); // the others were only behind it
    if (itself && e->asked_after == releases_ && e == *waiting_.begin()) out_of_blocks_ = true;
    if (then == fate::park || then == fate::end) decide(*e, then);
  }
  // Somebody else's blocks come back sooner or later; where there is nobody, ask again at once.
  if (running_.empty() && leasing_ == 0) out_of_blocks_ = false;
}

void batch_scheduler::start(entry& e, const kv_grant& grant) {
  --leasing_;
  leasing_tokens_ -= e.ids.size();
  e.where = phase::running;
  e.slot = free_slots_.back();
  free_slots_.pop_back();
  e.place = static_cast<std::uint32_t>(running_.size());
  running_.push_back(&e);
  e.ids.reserve(std::min<std::size_t>(e.ids.size() + tokens_ahead, most_tokens(e) + 1));
  e.blocks = static_cast<std::uint32_t>(grant.blocks.size());
  e.to_grow = grant.blocks;
  e.computed = e.planned = grant.cached_tokens;
  e.published = grant.cached_tokens / limits_.block_tokens;
  if (!std::exchange(e.leased_before, true))
    e.cached = std::min(grant.cached_tokens, e.spec.prompt_tokens);
  if (e.then != fate::none) {
    ++leaving_;
    settle_fate(e);
  }
}

// Blocks are asked for while there is still room, so that the answer comes before it is needed.
void batch_scheduler::keep_ahead(entry& e) {
  if (e.extending || e.short_of_blocks) return;
  const auto room = e.blocks * limits_.block_tokens;
  if (room >= most_tokens(e) || room >= e.planned + std::max(limits_.lease_ahead / 2, 1U)) return;
  const auto wanted =
      std::min<std::uint64_t>(std::uint64_t{e.planned} + limits_.lease_ahead, most_tokens(e));
  const auto blocks = blocks_for(std::max<std::uint64_t>(wanted, e.planned + 1));
  if (blocks <= e.blocks) return;
  e.extending = true;
  e.asked_after = releases_;
  requests_.extended.push_back({e.spec.id, blocks - e.blocks});
}

// Where a sequence stands still for want of blocks, whoever is last in turn gives its own away and
// is recomputed later.
void batch_scheduler::make_room() {
  if (leaving_ > 0) return;
  const auto starved = std::any_of(running_.begin(), running_.end(), [this](const entry* e) {
    return e->short_of_blocks && e->backlog() > 0 && e->planned == e->blocks * limits_.block_tokens;
  });
  if (!starved) return;
  if (auto* last = last_in_turn()) decide(*last, fate::preempt);
}

batch_scheduler::entry* batch_scheduler::last_in_turn() {
  entry* last = nullptr;
  for (auto* e : running_)
    if (e->then == fate::none && (!last || by_turn{}(last, e))) last = e;
  return last;
}

void batch_scheduler::wait(entry& e) {
  e.where = phase::waiting;
  const auto place = waiting_.insert(&e).first;
  if (place == waiting_.begin()) out_of_blocks_ = false;
}

void batch_scheduler::decide(entry& e, fate what) {
  switch (e.where) {
  case phase::waiting:
    if (&e == *waiting_.begin()) out_of_blocks_ = false;
    waiting_.erase(&e);
    if (what == fate::end) return erase(e);
    e.where = phase::parked;
    return;
  case phase::parked:
    if (what == fate::end) erase(e);
    return;
  case phase::leasing:
    e.then = what; // settled when the answer to its lease is there
    return;
  case phase::running:
    if (e.then == fate::none) ++leaving_;
    e.then = what;
    if (e.touching == 0) settle_fate(e);
    return;
  }
}

// Called for a running entry with a fate; acts once no step under way touches it.
void batch_scheduler::settle_fate(entry& e) {
  if (e.touching > 0) return;
  const auto then = std::exchange(e.then, fate::none);
  --leaving_;
  leave_slot(e);
  give_back(e);
  if (then == fate::end) return erase(e);
  if (then == fate::park) {
    e.where = phase::parked;
    return;
  }
  ++preemptions_;
  wait(e);
}

void batch_scheduler::leave_slot(entry& e) {
  if (std::exchange(e.opened, false)) closed_.push_back(e.slot);
  free_slots_.push_back(e.slot);
  running_[e.place] = running_.back();
  running_[e.place]->place = e.place;
  running_.pop_back();
}

void batch_scheduler::give_back(entry& e) {
  requests_.released.push_back(e.spec.id);
  ++releases_;
  e.to_grow.clear();
  e.extending = e.short_of_blocks = false;
  e.blocks = e.published = e.computed = e.planned = e.prompt_told = 0;
  out_of_blocks_ = false;
  for (auto* other : running_) other->short_of_blocks = false;
}

void batch_scheduler::erase(entry& e) { entries_.erase(e.spec.id); }

kv_requests batch_scheduler::take_requests() { return std::exchange(requests_, {}); }

std::vector<emission> batch_scheduler::take_emissions() { return std::exchange(emissions_, {}); }

scheduler_counts batch_scheduler::counts() const {
  scheduler_counts out;
  out.running = static_cast<std::uint32_t>(running_.size());
  out.waiting = static_cast<std::uint32_t>(waiting_.size()) + leasing_;
  out.parked = static_cast<std::uint32_t>(entries_.size()) - out.running - out.waiting;
  out.preemptions = preemptions_;
  return out;
}

} // namespace troupe
