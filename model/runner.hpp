// Runs step plans: the functional core of whoever owns a device. It keeps the slot table and the KV
// pages, computes what a plan asks and answers for every slot at once. It decides nothing, and what
// goes wrong for one slot stays with that slot.
#pragma once

#include "model/decoder.hpp"
#include "model/slot_table.hpp"
#include "model/step_batch.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

namespace troupe {

struct runner_options {
  std::int32_t blocks = 0;        ///< of KV cache
  std::int32_t block_tokens = 16; ///< tokens of one block
  std::int32_t max_sequences = 0; ///< slots
  std::int32_t step_tokens = 0;   ///< most rows of one step, drafts among them
};

/// For tests: called for each slot at "open", "prepare" and "sample", with its sequence; may throw.
using fault_probe = std::function<void(std::string_view stage, sequence_id sequence)>;

class runner {
 public:
  /// Most rows whose logits are in memory at once; a step with more goes through the head in parts.
  static constexpr std::int32_t most_logits_rows = 256;

  /// Allocates pages and buffers. `device` must be the decoder's and outlive the runner. Throws
  /// device_error where memory ends, std::invalid_argument where an option is not positive.
  runner(std::shared_ptr<const decoder> model, backend& device, const runner_options& options,
         fault_probe probe = {});

  /// Applies the plan and computes its runs. Throws device_error only: then the device's state is
  /// lost and with it the runner's.
  step_result run(const step_plan& plan);

  /// How many plans may be under way at once: the one that runs and the one that waits behind it,
  /// whose inputs need not be known when it is planned.
  int pipeline_depth() const { return 2; }

  const runner_options& options() const { return options_; }

 private:
  void apply(const step_plan& plan);
  std::string admit(const slot_run& run, std::vector<bool>& seen, std::int64_t& budget);
  void compute(std::span<slot_work> work);
  void pass(std::span<slot_work> work);
  void probe(std::string_view stage, sequence_id sequence) const;

  std::shared_ptr<const decoder> model_;
  backend& device_;
  runner_options options_;
  fault_probe probe_;
  slot_table slots_;
  kv_cache cache_;
  workspace work_;
  step_batch batch_;
  std::optional<std::chrono::steady_clock::time_point> last_end_;
};

} // namespace troupe
