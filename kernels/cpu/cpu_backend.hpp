// The backend of the processor's cores. Activations and KV pages are f32; weights stay in the type
// they came in, bf16, f16 or f32. Ops are done when they return, so wait() has nothing to do. On
// one machine a row's bits depend on nothing but the row: not on the batch, the chunk, or the
// number of threads.
#pragma once

#include "kernels/ops.hpp"

#include <chrono>
#include <memory>

namespace troupe {

struct cpu_options {
  int threads = 0;  ///< with the calling one; 0: as many as the process may use cores
  bool pin = false; ///< each worker keeps to one core, none of them to the first
  std::chrono::microseconds spin{20}; ///< how long an idle worker looks for work before it sleeps
};

/// Ops take matrices of f32 except for weights, which are those that load_weight gave.
/// Preconditions beyond backend's: head_dim even and at most 256; allowed_mask empty or as long as
/// the vocabulary. Throws std::system_error when threads cannot be had.
std::unique_ptr<backend> make_cpu_backend(const cpu_options& options);

} // namespace troupe
