// What tests of the runner share: a model on the processor, and a driver that plans steps in the
// simplest way and gathers what came of them.
#pragma once

#include "kernels/cpu/cpu_backend.hpp"
#include "model/families/family.hpp"
#include "model/runner.hpp"
#include "tests/model/model_folder.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

namespace troupe::testing {

/// A model folder's weights on the processor.
struct loaded_model {
  explicit loaded_model(const std::filesystem::path& folder,
                        std::unique_ptr<backend> on = make_cpu_backend({}))
      : loaded_model(folder, read_architecture(folder), std::move(on)) {}
  loaded_model(const std::filesystem::path& folder, const architecture& as,
               std::unique_ptr<backend> on)
      : device(std::move(on)),
        model(std::make_shared<const decoder>(as, safetensors(folder), *device)) {}

  std::unique_ptr<backend> device;
  std::shared_ptr<const decoder> model;
};

/// What is generated for one sequence.
struct job {
  token_ids ids;                   ///< prompt, then what was emitted before
  std::size_t prompt_tokens = 0;   ///< 0: all of ids
  sampling_params sampling = {};   ///< temperature 0 in greedy()
  std::size_t new_tokens = 0;      ///< stop after so many
  std::uint32_t chunk = 1'000'000; ///< most prompt tokens a step
  std::size_t first_step = 0;      ///< not opened before
  /// Proposes tokens behind those that were generated so far.
  std::function<std::vector<token_id>(const token_ids& generated)> drafts = {};
};

/// What came of it.
struct outcome {
  token_ids tokens;
  std::vector<token_report> reports;
  std::vector<token_report> prompt;
  std::string error;
  std::size_t steps = 0; ///< in which it ran
};

inline sampling_params greedy() {
  sampling_params out;
  out.temperature = 0;
  return out;
}

/// Runs jobs together, a slot each, blocks given out in turn; open slots run in every step.
class driver {
 public:
  driver(runner& runner, std::vector<job> jobs)
      : runner_(runner), jobs_(std::move(jobs)), out_(jobs_.size()), next_(jobs_.size(), 0) {
    free_.resize(static_cast<std::size_t>(runner.options().blocks));
    std::iota(free_.begin(), free_.end(), 0);
  }

  std::vector<outcome> run() {
    while (step()) {
    }
    return out_;
  }

 private:
  bool done(std::size_t i) const {
    return !out_[i].error.empty() || out_[i].tokens.size() >= jobs_[i].new_tokens;
  }

  void open(step_plan& plan, std::size_t i) const {
    const job& j = jobs_[i];
    const auto slot = static_cast<slot_id>(i);
    plan.opened.push_back(
        {slot, i + 1, std::make_shared<const token_ids>(j.ids),
         static_cast<std::uint32_t>(j.prompt_tokens ? j.prompt_tokens : j.ids.size()),
         std::make_shared<const sampling_params>(j.sampling)});
  }

  void grow(step_plan& plan, std::size_t i) {
    const std::size_t tokens = jobs_[i].ids.size() + jobs_[i].new_tokens + 32;
    const auto block_tokens = static_cast<std::size_t>(runner_.options().block_tokens);
    table_growth growth{static_cast<slot_id>(i), {}};
    for (std::size_t b = 0; b * block_tokens < tokens; ++b) {
      growth.blocks.push_back(free_.front());
      free_.pop_front();
    }
    plan.grown.push_back(std::move(growth));
  }

  slot_run run_of(std::size_t i) const {
    const job& j = jobs_[i];
    const std::size_t known = j.ids.size() + out_[i].tokens.size();
    const auto left = static_cast<std::uint32_t>(known - next_[i]);
    slot_run run{.slot = static_cast<slot_id>(i),
                 .first = static_cast<std::uint32_t>(next_[i]),
                 .tokens = std::min(left, j.chunk),
                 .drafts = {}};
    run.sample = run.tokens == left;
    if (run.sample && j.drafts) run.drafts = j.drafts(out_[i].tokens);
    return run;
  }

  void take(std::size_t i, const slot_run& run, const slot_result& result) {
    outcome& out = out_[i];
    ++out.steps;
    out.error = result.error;
    out.prompt.insert(out.prompt.end(), result.prompt_tokens.begin(), result.prompt_tokens.end());
    for (const token_report& t : result.tokens) {
      out.tokens.push_back(t.id);
      out.reports.push_back(t);
    }
    next_[i] += run.tokens + (result.tokens.empty() ? 0 : result.tokens.size() - 1);
  }

  bool step() {
    step_plan plan{
        .incarnation = 1, .step = ++step_, .closed = {}, .opened = {}, .grown = {}, .runs = {}};
    bool waiting = false;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (done(i)) continue;
      waiting = true;
      if (step_ <= jobs_[i].first_step) continue;
      if (step_ == jobs_[i].first_step + 1) {
        open(plan, i);
        grow(plan, i);
      }
      plan.runs.push_back(run_of(i));
    }
    const step_result result = runner_.run(plan);
    for (std::size_t k = 0; k < plan.runs.size(); ++k)
      take(plan.runs[k].slot, plan.runs[k], result.slots[k]);
    return waiting;
  }

  runner& runner_;
  std::vector<job> jobs_;
  std::vector<outcome> out_;
  std::vector<std::size_t> next_;
  std::deque<block_id> free_;
  std::size_t step_ = 0;
};

/// The outcomes of jobs run together on a runner of their own.
inline std::vector<outcome> generate(const loaded_model& model, std::vector<job> jobs,
                                     fault_probe probe = {}) {
  const runner_options options{
      .blocks = 4096, .block_tokens = 16, .max_sequences = 128, .step_tokens = 8192};
  runner r(model.model, *model.device, options, std::move(probe));
  return driver(r, std::move(jobs)).run();
}

} // namespace troupe::testing
