// A pass is one forward over all slots that can run. Where it throws and nobody can say because of
// whom, it is tried again by halves: what a pass wrote into the pages is written again, and slots'
// states change only when all of it is issued, so that a second try sees what the first saw.
#include "model/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe {

namespace {

const runner_options& checked(const runner_options& options) {
  if (options.blocks < 1 || options.block_tokens < 1 || options.max_sequences < 1 ||
      options.step_tokens < 1 || options.logits_rows < 1)
    throw std::invalid_argument(fmt::format(
        "a runner needs at least one block ({}), token a block ({}), sequence ({}), token a step "
        "({}) and row of logits ({})",
        options.blocks, options.block_tokens, options.max_sequences, options.step_tokens,
        options.logits_rows));
  return options;
}

slot_limits limits_of(const architecture& model, const runner_options& options) {
  return {.max_sequences = options.max_sequences,
          .blocks = options.blocks,
          .block_tokens = options.block_tokens,
          .max_positions = model.max_positions,
          .vocab = model.vocab};
}

void fail(const slot_work& work, std::string_view error) {
  work.state->error = error;
  work.result->error = error;
}

/// Which tokens stand before the run's has to be known on the host.
bool needs_tokens(const slot_work& work) {
  return work.state->under_way > 0 &&
         (!work.run->drafts.empty() || (work.run->sample && has_penalties(*work.state->sampling)));
}

} // namespace

runner::runner(std::shared_ptr<const decoder> model, backend& device, const runner_options& options,
               fault_probe probe)
    : model_(std::move(model)), device_(device), options_(checked(options)),
      probe_(std::move(probe)), slots_(limits_of(model_->model(), options)),
      cache_(device, model_->model(), options.blocks, options.block_tokens),
      work_(device, model_->model(), options.step_tokens,
            std::min(options.step_tokens, options.logits_rows)),
      batch_(device, options.step_tokens, options.max_sequences,
             blocks_of_context(model_->model(), options.block_tokens)) {}

void runner::probe(std::string_view stage, sequence_id sequence) const {
  if (probe_) probe_(stage, sequence);
}

void runner::apply(const step_plan& plan) {
  for (const slot_id slot : plan.closed) slots_.close(slot);
  for (const slot_open& opened : plan.opened) {
    slots_.open(opened);
    try {
      probe("open", opened.sequence);
    } catch (const std::exception& e) {
      if (const auto state = slots_.find(opened.slot)) state->error = e.what();
    }
  }
  for (const table_growth& growth : plan.grown) slots_.grow(growth);
}

std::string runner::admit(const slot_run& run, std::vector<bool>& seen,
                          std::int64_t& budget) const {
  std::string error = slots_.problem_of(run);
  if (!error.empty()) return error;
  if (seen[run.slot]) return fmt::format("slot {} runs twice in one step", run.slot);
  seen[run.slot] = true;
  const auto rows = static_cast<std::int64_t>(run.tokens + run.drafts.size());
  if (rows > budget)
    return fmt::format("its {} rows exceed the {} left of the step's {}", rows, budget,
                       options_.step_tokens);
  try {
    probe("prepare", slots_.find(run.slot)->sequence);
  } catch (const std::exception& e) {
    return e.what();
  }
  budget -= rows;
  return {};
}

void runner::prepare(issued_step& step) {
  const step_plan& plan = step.plan;
  step.result = {.incarnation = plan.incarnation, .step = plan.step, .slots = {}};
  step.result.slots.resize(plan.runs.size());
  std::vector<bool> seen(static_cast<std::size_t>(options_.max_sequences), false);
  std::int64_t budget = options_.step_tokens;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const slot_run& run = plan.runs[i];
    slot_result& result = step.result.slots[i];
    const auto state = slots_.find(run.slot);
    if (state && state->drafting) finish_steps(true);
    result.slot = run.slot;
    result.sequence = state ? state->sequence : 0;
    result.error = admit(run, seen, budget);
    if (result.error.empty()) {
      step.work.push_back({&run, state, &result});
    } else if (state && state->open && state->error.empty()) {
      state->error = result.error;
    }
  }
  if (std::ranges::any_of(step.work, needs_tokens)) finish_steps(true);
}

void runner::issue(step_plan plan) {
  finish_steps(false);
  apply(plan);
  issued_step& step = steps_.emplace_back(std::move(plan));
  prepare(step);
  step.begun = device_.mark();
  compute(step, step.work);
  step.done = device_.mark();
}

step_result runner::collect() {
  issued_step& step = steps_.front();
  finish(step);
  step.result.device_seconds = step.done->seconds_since(*step.begun);
  step.result.gap_seconds = last_done_ ? step.begun->seconds_since(*last_done_) : 0.0;
  last_done_ = std::move(step.done);
  step_result out = std::move(step.result);
  steps_.pop_front();
  return out;
}

void runner::finish_steps(bool wait) {
  for (issued_step& step : steps_) {
    if (!step.done || !(wait || step.done->reached())) return; // the rest is younger
    finish(step);
  }
}

void runner::compute(issued_step& step, std::span<slot_work> work) {
  if (work.empty()) return;
  try {
    pass(step, work);
  } catch (const device_error&) {
    throw;
  } catch (const std::exception& e) {
    device_.wait();
    finish_steps(true); // what was chosen on the device may be overwritten: the host knows it now
    if (work.size() == 1) {
      fail(work.front(), e.what());
      return;
    }
    compute(step, work.first(work.size() / 2));
    compute(step, work.subspan(work.size() / 2));
  }
}

void runner::pass(issued_step& step, std::span<slot_work> work) {
  model_->forward(batch_.load(work), cache_, work_);
  for (const slot_work& w : work) {
    try {
      probe("sample", w.state->sequence);
    } catch (const std::exception& e) {
      fail(w, e.what());
    }
  }
  step_samples samples(work);
  const auto at_once = static_cast<std::size_t>(work_.logits.rows);
  for (std::size_t first = 0; first < samples.size(); first += at_once) {
    const std::size_t count = std::min(at_once, samples.size() - first);
    const std::int32_t* rows = batch_.load_rows(samples.batch_rows(first, count));
    const matrix logits = model_->logits(rows, static_cast<std::int32_t>(count), work_);
    samples.add(device_.sample(logits, samples.rows(first, count), batch_.chosen()));
  }
  for (const slot_work& w : work) {
    if (!w.result->error.empty()) continue;
    w.state->next = w.run->first + w.run->tokens;
    w.state->drafting = !w.run->drafts.empty();
    if (w.run->sample) ++w.state->under_way;
  }
  step.passes.push_back({work, std::move(samples)});
}

void runner::finish(issued_step& step) {
  if (std::exchange(step.finished, true)) return;
  for (issued_pass& p : step.passes) p.samples.finish(p.work);
}

} // namespace troupe
