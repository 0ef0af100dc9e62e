// A pass is one forward over all slots that can run. Where it throws and nobody can say because of
// whom, it is tried again by halves: what a pass wrote into the pages is written again, and slots'
// states change only at its end, so that a second try sees what the first saw.
#include "model/runner.hpp"

#include "model/step_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe {

namespace {

using clock = std::chrono::steady_clock;

const runner_options& checked(const runner_options& options) {
  if (options.blocks < 1 || options.block_tokens < 1 || options.max_sequences < 1 ||
      options.step_tokens < 1)
    throw std::invalid_argument(fmt::format(
        "a runner needs at least one block ({}), token a block ({}), sequence ({}) and token a "
        "step ({})",
        options.blocks, options.block_tokens, options.max_sequences, options.step_tokens));
  return options;
}

slot_limits limits_of(const architecture& model, const runner_options& options) {
  return {.max_sequences = options.max_sequences,
          .blocks = options.blocks,
          .block_tokens = options.block_tokens,
          .max_positions = model.max_positions,
          .vocab = model.vocab};
}

std::int32_t table_blocks(const architecture& model, const runner_options& options) {
  return (model.max_positions + options.block_tokens - 1) / options.block_tokens;
}

void fail(const slot_work& work, std::string_view error) {
  work.state->error = error;
  work.result->error = error;
}

double seconds(clock::duration d) { return std::chrono::duration<double>(d).count(); }

} // namespace

runner::runner(std::shared_ptr<const decoder> model, backend& device, const runner_options& options,
               fault_probe probe)
    : model_(std::move(model)), device_(device), options_(checked(options)),
      probe_(std::move(probe)), slots_(limits_of(model_->model(), options)),
      cache_(device, model_->model(), options.blocks, options.block_tokens),
      work_(device, model_->model(), options.step_tokens,
            std::min(options.step_tokens, most_logits_rows)),
      batch_(device, options.step_tokens, options.max_sequences,
             table_blocks(model_->model(), options)) {}

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
      if (slot_state* state = slots_.find(opened.slot)) state->error = e.what();
    }
  }
  for (const table_growth& growth : plan.grown) slots_.grow(growth);
}

std::string runner::admit(const slot_run& run, std::vector<bool>& seen, std::int64_t& budget) {
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

step_result runner::run(const step_plan& plan) {
  const clock::time_point begin = clock::now();
  apply(plan);
  step_result out{.incarnation = plan.incarnation, .step = plan.step, .slots = {}};
  out.slots.resize(plan.runs.size());
  std::vector<slot_work> work;
  std::vector<bool> seen(static_cast<std::size_t>(options_.max_sequences), false);
  std::int64_t budget = options_.step_tokens;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const slot_run& run = plan.runs[i];
    slot_result& result = out.slots[i];
    slot_state* state = slots_.find(run.slot);
    result.slot = run.slot;
    result.sequence = state ? state->sequence : 0;
    result.error = admit(run, seen, budget);
    if (result.error.empty()) {
      work.push_back({&run, state, &result});
    } else if (state && state->open && state->error.empty()) {
      state->error = result.error;
    }
  }
  compute(work);
  const clock::time_point end = clock::now();
  out.device_seconds = seconds(end - begin);
  out.gap_seconds = last_end_ ? seconds(begin - *last_end_) : 0.0;
  last_end_ = end;
  return out;
}

void runner::compute(std::span<slot_work> work) {
  if (work.empty()) return;
  try {
    pass(work);
  } catch (const device_error&) {
    throw;
  } catch (const std::exception& e) {
    device_.wait();
    if (work.size() == 1) {
      fail(work.front(), e.what());
      return;
    }
    compute(work.first(work.size() / 2));
    compute(work.subspan(work.size() / 2));
  }
}

void runner::pass(std::span<slot_work> work) {
  model_->forward(batch_.load(work, options_.block_tokens), cache_, work_);
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
    samples.add(device_.sample(logits, samples.rows(first, count)));
  }
  device_.wait();
  samples.finish(work);
}

} // namespace troupe
