// How much of a device's memory becomes KV cache: what is left after weights and buffers, or what
// the operator set. Worked out before anything is allocated, so that a model that cannot serve its
// context is refused at the start and with the number that would work.
#pragma once

#include "kernels/tensor.hpp"
#include "model/architecture.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// What is known before the plan is made.
struct memory_request {
  std::uint64_t free_bytes = 0;   ///< of the device, before the weights are loaded
  std::uint64_t device_bytes = 0; ///< of those, what the device needs for itself
  std::uint64_t weight_bytes = 0; ///< that the weights take or will take
  dtype activation_type = dtype::f32;
  std::int32_t block_tokens = 16;
  std::int32_t max_sequences = 0;
  std::int32_t step_tokens = 0;
  std::int32_t logits_rows = 256;        ///< as runner_options
  std::int32_t max_context = 0;          ///< of one sequence; 0 is the model's own
  std::optional<std::uint64_t> kv_bytes; ///< set by the operator
  double fraction = 0.9; ///< of free_bytes that may be used in all, (0, 1]; unless kv_bytes is set
};

/// How the memory is shared out. Bytes throughout.
struct memory_plan {
  std::uint64_t free_bytes = 0;
  std::uint64_t device_bytes = 0;
  std::uint64_t weight_bytes = 0;
  std::uint64_t workspace_bytes = 0; ///< activations and what describes a step
  std::uint64_t kv_bytes = 0;        ///< blocks * block_bytes
  std::uint64_t block_bytes = 0;
  std::int32_t block_tokens = 0;
  std::int32_t blocks = 0;
  std::int32_t max_context = 0;

  std::int64_t tokens() const { return std::int64_t{blocks} * block_tokens; }
  /// Sequences of max_context that fit at once.
  double full_sequences() const { return static_cast<double>(tokens()) / max_context; }
};

/// Never more blocks than max_sequences of max_context use. Throws model_error, with the numbers
/// and what to set, where not one sequence of max_context fits or a setting is out of range.
memory_plan plan_memory(const architecture& model, const memory_request& request);

/// The plan as lines for the log: what, MiB, share of the free memory.
std::string to_table(const memory_plan& plan);

} // namespace troupe
