// Paged causal attention of long runs of rows on Hopper: warpgroups' products fed by the copy
// engine. A run is cut into tiles of 128 queries, each of which one block goes through from its
// last key to its first; the host, which knows the runs, plans who does which (prefill_plan.hpp).
//
// A row's bits depend on where tiles begin, so on how its prompt was cut into runs; attention.hpp
// is for those who must not care.
#pragma once

#include "kernels/cuda/prefill_plans.hpp"
#include "kernels/cuda/tensor_map.hpp"

namespace troupe::cuda {

class prefill_attention {
 public:
  /// For a device of compute capability 9.0 with so many multiprocessors. All calls go to `stream`,
  /// that of the uploads.
  prefill_attention(cudaStream_t stream, std::int32_t multiprocessors, staging& uploads)
      : stream_(stream), plans_(multiprocessors, uploads) {}

  /// Another batch begins: no plan of an earlier one serves it.
  void begin() { plans_.forget(); }

  /// Heads of 64 or 128 elements, blocks whose tokens are a multiple of 8, no softcap.
  static bool takes(const head_shape& heads, std::int32_t block_tokens, float softcap);

  /// backend::attention for bf16 and f16, with scale > 0, for those sequences of batch.runs that
  /// have at least `least_rows` rows; the others' rows of `out` stay as they are. What takes()
  /// refuses throws std::invalid_argument. Values must be finite: another one also reaches rows
  /// before it where they are in the batch. The first call of a
  /// batch uploads its plan, so it is not for graphs.
  void run(const matrix& out, const matrix& qkv, const head_shape& heads, const kv_pages& pages,
           const batch_view& batch, float scale, std::int32_t window, std::int32_t least_rows);

 private:
  cudaStream_t stream_;
  prefill_plans plans_;
  tensor_maps maps_;
};

} // namespace troupe::cuda
