// Paged causal attention for prefill and decode alike: one kernel, in which the query heads that
// share a key head stand beside the query rows, so that a single row of a model with shared heads
// still fills a matrix instruction.
//
// The positions of a sequence are cut into splits of a fixed length. A split's sums never depend on
// who computes it, and splits are merged in their order by one formula, whether by one block that
// goes through all of them or by a last kernel over the parts that many blocks left. So the work is
// cut as the batch needs and a row's bits stay the same. How long contexts are is known on the
// device only: the kernel itself cuts the work, and no launch depends on it.
#pragma once

#include "kernels/ops.hpp"

#include <cuda_runtime.h>

namespace troupe::cuda {

class paged_attention {
 public:
  /// Positions of a split, unless the constructor is told otherwise.
  static constexpr std::int32_t default_split = 256;

  /// For a device with so many multiprocessors; `split` is a multiple of 64.
  explicit paged_attention(std::int32_t multiprocessors, std::int32_t split = default_split);

  /// backend::attention for bf16 and f16, with scale > 0, of the sequences that have `least_rows`
  /// rows or more. Values must be finite: another one also
  /// reaches rows up to 63 positions before it where they are in the batch. Throws
  /// std::invalid_argument where the head is odd or has more than 256 elements. Calls share memory:
  /// all go to one stream.
  void run(cudaStream_t stream, const matrix& out, const matrix& qkv, const head_shape& heads,
           const kv_pages& pages, const batch_view& batch, float scale, std::int32_t window,
           float softcap, std::int32_t least_rows = 1);

  /// Allocates what run() needs for heads of head_dim elements and that many sequences: its size
  /// does not depend on the rows or on the contexts. run() calls it, and then allocates only for a
  /// larger head or for more sequences than ever before; who captures a graph calls it before.
  /// Throws device_error when there is not enough.
  void reserve(std::int32_t head_dim, std::int32_t sequences);

  /// What the launches of run() depend on beside its arguments: while it is the same, so are they.
  std::uint64_t launches() const;

 private:
  std::int32_t multiprocessors_;
  std::int32_t split_;
  std::int32_t head_dim_ = 0;  // of the memory, padded
  std::int32_t sequences_ = 0; // of the memory
  memory cut_;
  memory totals_;
  memory parts_;
};

} // namespace troupe::cuda
