#include "tests/sim/audit.hpp"

#include "tests/sim/violation.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace troupe {

audit::view& audit::at(sequence_id sequence) {
  const auto found = views_.find(sequence);
  require(found != views_.end(), "only known sequences are named", "{}", sequence);
  return found->second;
}

bool audit::earlier(const view& a, const view& b) const {
  const auto turn = [](const view& it) {
    return std::tuple{it.what->spec.priority, it.what->spec.arrival, it.what->spec.id};
  };
  return turn(a) < turn(b);
}

void audit::enqueues(const sequence_spec& spec) {
  view fresh;
  fresh.what = &world_.clients.at(spec.id - 1).what;
  fresh.known = static_cast<std::uint32_t>(spec.ids->size());
  fresh.emitted = fresh.known - spec.prompt_tokens;
  require(!views_.contains(spec.id), "a sequence is enqueued once in an engine", "{}", spec.id);
  views_.emplace(spec.id, fresh);
}

void audit::cancels(sequence_id sequence) {
  if (!views_.contains(sequence)) return;
  at(sequence).ended = at(sequence).cancelled = true;
}

void audit::parks(sequence_id sequence) {
  if (views_.contains(sequence)) at(sequence).parked = true;
}

void audit::resumes(sequence_id sequence) {
  if (views_.contains(sequence)) at(sequence).parked = false;
}

void audit::learns(const kv_replies& replies) {
  --unanswered_;
  for (const auto& grant : replies.leased) {
    auto& it = at(grant.sequence);
    it.leasing = false;
    it.holding = true;
    it.blocks = static_cast<std::uint32_t>(grant.blocks.size());
    it.planned = grant.cached_tokens;
  }
  for (const auto sequence : replies.not_leased) at(sequence).leasing = false;
  for (const auto& grant : replies.extended)
    if (at(grant.sequence).holding)
      at(grant.sequence).blocks += static_cast<std::uint32_t>(grant.blocks.size());
}

void audit::learns(const step_result& result) {
  if (result.incarnation != incarnation_) return;
  require(!under_way_.empty() && under_way_.front().step == result.step, "results come in order",
          "step {}", result.step);
  for (const auto sequence : under_way_.front().touched) --at(sequence).touching;
  under_way_.pop_front();
}

void audit::planned(const step_plan& plan) {
  ++steps_;
  const auto& limits = world_.limits;
  require(under_way_.size() < limits.steps_in_flight, "not too many steps are under way", "step {}",
          plan.step);
  require(!plan.runs.empty() && plan.runs.size() <= limits.max_sequences,
          "a step has some sequences, not too many", "{}", plan.runs.size());
  std::uint64_t rows = 0;
  for (const auto& run : plan.runs) rows += run.tokens;
  require(rows <= limits.step_tokens, "a step keeps its budget", "{} rows of {}", rows,
          limits.step_tokens);
  for (const auto slot : plan.closed) slots_.erase(slot);
  for (const auto& opened : plan.opened) slots_[opened.slot] = opened.sequence;
  under_way_.push_back({plan.step, {}});
  for (const auto& run : plan.runs) plan_run(plan, run);
  check_decoding(under_way_.back().touched);
}

void audit::plan_run(const step_plan& plan, const slot_run& run) {
  require(slots_.contains(run.slot), "only open slots run", "slot {}", run.slot);
  const auto sequence = slots_.at(run.slot);
  auto& it = at(sequence);
  auto& touched = under_way_.back().touched;
  require(std::find(touched.begin(), touched.end(), sequence) == touched.end(),
          "a slot runs once a step", "{}", sequence);
  touched.push_back(sequence);
  require(!it.ended, "what has ended does not run", "{} in step {}", sequence, plan.step);
  require(!it.parked, "what is parked does not run", "{} in step {}", sequence, plan.step);
  require(it.holding && run.first == it.planned, "a run goes on where the last one ended",
          "{} at {}, planned to {}", sequence, run.first, it.planned);
  it.planned += run.tokens;
  ++it.touching;
  if (run.sample) ++it.known;
}

// A sequence may be left out while its own end or preemption is decided, which takes the steps
// under way.
void audit::check_decoding(const std::vector<sequence_id>& touched) {
  for (auto& [sequence, it] : views_) {
    const bool ready = it.holding && it.alive() && it.known == it.planned + 1 &&
                       it.known < it.what->spec.prompt_tokens + it.what->spec.max_tokens &&
                       it.planned < it.blocks * world_.limits.block_tokens;
    const bool ran = std::find(touched.begin(), touched.end(), sequence) != touched.end();
    it.skipped = ready && !ran ? it.skipped + 1 : 0;
    require(it.skipped <= world_.limits.steps_in_flight, "a decoding sequence runs in every step",
            "{} was left out", sequence);
  }
}

void audit::asked(const kv_requests& requests) {
  for (const auto& published : requests.published)
    require(at(published.sequence).holding, "only holders publish", "{}", published.sequence);
  for (const auto sequence : requests.released) {
    auto& it = at(sequence);
    require(it.holding, "blocks are released once", "{}", sequence);
    require(it.touching == 0, "no step touches what is released", "{}", sequence);
    it.holding = false;
    it.blocks = it.planned = it.skipped = 0;
    it.known = it.what->spec.prompt_tokens + it.emitted;
  }
  for (const auto& lease : requests.leased) {
    auto& it = at(lease.sequence);
    require(it.waits(), "who waits leases", "{}", lease.sequence);
    check_turn(lease.sequence);
    it.leasing = true;
  }
  if (!requests.extended.empty() || !requests.leased.empty()) ++unanswered_;
}

void audit::check_turn(sequence_id leased) const {
  const auto& it = views_.at(leased);
  for (const auto& [sequence, other] : views_)
    require(!other.waits() || !earlier(other, it), "leases are asked for in turn", "{} before {}",
            leased, sequence);
}

void audit::emitted(const emission& what, const fake_executor& executor) {
  auto& it = at(what.sequence);
  require(!it.cancelled, "nothing is emitted after a cancel", "{}", what.sequence);
  require(!it.ended, "a sequence ends once and says nothing after it", "{}", what.sequence);
  require(what.first == it.emitted, "tokens come without gap or repetition",
          "{} at {}, expected {}", what.sequence, what.first, it.emitted);
  for (const auto& token : what.tokens) {
    const auto position = it.what->spec.prompt_tokens + it.emitted++;
    require(position < it.what->ids.size() && token.id == it.what->ids[position],
            "tokens are as expected", "{} at {}", what.sequence, position);
  }
  require(what.cached_tokens < it.what->spec.prompt_tokens + it.what->spec.max_tokens &&
              (world_.limits.prefix_cache || what.cached_tokens == 0),
          "the cache serves what it may", "{} got {}", what.sequence, what.cached_tokens);
  if (!what.end) return;
  it.ended = true;
  const auto& spec = it.what->spec;
  const bool stops =
      it.emitted > 0 &&
      std::find(spec.stop_ids.begin(), spec.stop_ids.end(),
                it.what->ids[spec.prompt_tokens + it.emitted - 1]) != spec.stop_ids.end();
  const bool right = *what.end == finish_reason::stop     ? stops
                     : *what.end == finish_reason::length ? it.emitted == spec.max_tokens && !stops
                     : *what.end == finish_reason::error
                         ? it.what->too_large || executor.failed().contains(spec.id)
                         : false;
  require(right, "a sequence ends for the right reason", "{} after {} tokens with {}: {}",
          what.sequence, it.emitted, static_cast<int>(*what.end), what.error);
}

void audit::rests(const scheduler_counts& counts, const kv_stats& pool) {
  std::uint32_t holding = 0;
  for (const auto& [sequence, it] : views_) {
    holding += it.holding ? 1 : 0;
    require(!it.holding || it.alive() || it.touching > 0,
            "blocks come back when no step touches them", "{}", sequence);
  }
  require(counts.running == holding && holding <= world_.limits.max_sequences,
          "who holds blocks has a slot", "{} hold blocks, {} run", holding, counts.running);
  check_reasons_to_wait(pool);
}

// Nobody waits unless for a step, for an answer, for a slot or for blocks.
void audit::check_reasons_to_wait(const kv_stats& pool) const {
  if (unanswered_ > 0) return;
  const view* first = nullptr;
  std::uint64_t running_tokens = 0;
  std::uint32_t running = 0;
  for (const auto& [sequence, it] : views_) {
    require(!it.alive() || !under_way_.empty(), "it never stands still", "{} is left", sequence);
    if (it.holding) ++running, running_tokens += it.known;
    if (it.waits() && (!first || earlier(it, *first))) first = &it;
  }
  const auto& limits = world_.limits;
  if (!first || running >= limits.max_sequences || running_tokens >= 2 * limits.step_tokens) return;
  const auto tokens = std::min(first->known + limits.lease_ahead,
                               first->what->spec.prompt_tokens + first->what->spec.max_tokens - 1);
  const auto needed =
      (tokens + limits.block_tokens - 1) / limits.block_tokens + limits.max_sequences;
  require(needed > pool.free + pool.idle, "nobody waits for blocks that are there",
          "{} needs {} of {}", first->what->spec.id, needed, pool.free + pool.idle);
}

void audit::check_blocks(const block_pool& pool, const fake_executor& executor,
                         const kv_requests& served, const kv_replies& replies) {
  for (const auto& published : served.published)
    at(published.sequence).whole +=
        static_cast<std::uint32_t>(published.tokens.size()) / world_.limits.block_tokens;
  for (const auto& grant : replies.leased) {
    at(grant.sequence).whole = grant.cached_tokens / world_.limits.block_tokens;
    require(grant.cached_tokens < at(grant.sequence).what->ids.size(), "the last token is computed",
            "{}", grant.sequence);
  }
  const auto wrong = pool.contradiction();
  require(wrong.empty(), "the pool's books agree", "{}", wrong);
  const auto stats = pool.stats();
  require(stats.free + stats.idle + stats.used == stats.total &&
              stats.total == world_.limits.total_blocks,
          "free, idle and used are all", "{} {} {} of {}", stats.free, stats.idle, stats.used,
          stats.total);
  require(stats.hit_tokens <= stats.queried_tokens, "hits are among the lookups", "{} of {}",
          stats.hit_tokens, stats.queried_tokens);
  std::map<block_id, std::pair<sequence_id, std::uint32_t>> owners;
  std::set<block_id> distinct;
  for (const auto& [sequence, it] : views_) {
    const auto blocks = pool.blocks_of(sequence);
    for (std::uint32_t i = 0; i < blocks.size(); ++i) {
      const auto [owner, alone] = owners.try_emplace(blocks[i], sequence, i);
      if (alone) continue;
      const auto& other = at(owner->second.first);
      require(owner->second.second == i && i < it.whole && i < other.whole,
              "only whole prefixes are shared", "block {} is {} of {} and {} of {}", blocks[i], i,
              sequence, owner->second.second, owner->second.first);
      require(executor.holds(blocks[i], *it.what, i) && executor.holds(blocks[i], *other.what, i),
              "what is shared is what both compute", "block {} of {} and {}", blocks[i], sequence,
              owner->second.first);
    }
  }
  require(owners.size() == stats.used, "used blocks have owners", "{} of {}", owners.size(),
          stats.used);
}

} // namespace troupe
