// Runs step plans: the functional core of whoever owns a device. It keeps the slot table and the KV
// pages, computes what a plan asks and answers for every slot at once. It decides nothing, and what
// goes wrong for one slot stays with that slot.
//
// A step is issued and collected later, so that the device never waits for the host: the next plan
// may be issued before the tokens that it continues are known here. The device knows them.
#pragma once

#include "model/decoder.hpp"
#include "model/issued_step.hpp"
#include "model/slot_table.hpp"
#include "model/step_batch.hpp"

#include <deque>
#include <functional>
#include <string_view>

namespace troupe {

struct runner_options {
  std::int32_t blocks = 0;        ///< of KV cache
  std::int32_t block_tokens = 16; ///< tokens of one block
  std::int32_t max_sequences = 0; ///< slots
  std::int32_t step_tokens = 0;   ///< most rows of one step, drafts among them
  std::int32_t logits_rows = 256; ///< whose logits are in memory at once; more go in parts
};

/// For tests: called for each slot at "open", "prepare" and "sample", with its sequence; may throw.
using fault_probe = std::function<void(std::string_view stage, sequence_id sequence)>;

class runner {
 public:
  /// Allocates pages and buffers. `device` must be the decoder's and outlive the runner. Throws
  /// device_error where memory ends, std::invalid_argument where an option is not positive.
  runner(std::shared_ptr<const decoder> model, backend& device, const runner_options& options,
         fault_probe probe = {});

  /// Applies the plan and issues its runs. Waits for the steps before it only where a run needs
  /// their tokens on the host: for penalties, for drafts. Throws device_error only: then the
  /// device's state is lost and with it the runner's.
  void issue(step_plan plan);
  /// How many steps were issued and not collected.
  std::size_t under_way() const { return steps_.size(); }
  /// The oldest step under way is done: collect() will not wait.
  bool ready() { return steps_.front().done->reached(); }
  /// The result of the oldest step under way. Throws device_error only.
  step_result collect();

  /// Both, for a caller who has nothing else to do. No step may be under way.
  step_result run(step_plan plan) {
    issue(std::move(plan));
    return collect();
  }

  const runner_options& options() const { return options_; }

 private:
  void apply(const step_plan& plan);
  std::string admit(const slot_run& run, std::vector<bool>& seen, std::int64_t& budget) const;
  void prepare(issued_step& step);
  void compute(issued_step& step, std::span<slot_work> work);
  void pass(issued_step& step, std::span<slot_work> work);
  static void finish(issued_step& step);
  /// Brings the slots' states up to date with the steps under way: all, or those that are done.
  void finish_steps(bool wait);
  void probe(std::string_view stage, sequence_id sequence) const;

  std::shared_ptr<const decoder> model_;
  backend& device_;
  runner_options options_;
  fault_probe probe_;
  slot_table slots_;
  kv_cache cache_;
  workspace work_;
  step_batch batch_;
  std::deque<issued_step> steps_;
  std::unique_ptr<fence> last_done_;
};

} // namespace troupe
