// Paged attention of sequences with few rows, which is reading their keys and values: the way to
// the device's copy rate. A block has the queries of one key head, which share what is read; its
// warps go through the positions 16 at a time, each with a line of copies of its own under way, and
// meet only at the end. Sequences that were cut are merged by the block that is done last, so that
// there is no second kernel.
//
// How positions are cut depends on the whole batch, and with it the rounding of sums: where a
// sequence's bits must not depend on its company, paged_attention serves.
#pragma once

#include "kernels/cuda/decode_plan.hpp"
#include "kernels/cuda/staging.hpp"

namespace troupe::cuda {

class decode_attention {
 public:
  /// Rows of a sequence, at most: a token and its drafts.
  static constexpr std::int32_t most_rows = 8;

  decode_attention(std::int32_t multiprocessors, staging& uploads);

  /// It computes heads of 64 or 128 elements over blocks of a multiple of 16 tokens.
  static bool takes(const head_shape& heads, std::int32_t block_tokens);

  /// backend::attention for the batch's sequences of at most most_rows rows; batch.runs is needed.
  /// Values must be finite. All calls go to one stream, that of the uploads.
  void run(cudaStream_t stream, const matrix& out, const matrix& qkv, const head_shape& heads,
           const kv_pages& pages, const batch_view& batch, float scale, std::int32_t window,
           float softcap);

 private:
  void plan(cudaStream_t stream, const batch_view& batch, const decode_shape& shape,
            std::int32_t head_dim);

  /// What is on the device for one window, until the next batch.
  struct planned {
    std::int32_t window = 0;
    std::int32_t pieces = 0;
    memory on_device; // [capacity] of decode_piece
    std::size_t capacity = 0;
    std::uint64_t serial = 0;
  };
  planned& planned_for(std::int32_t window);

  std::int32_t multiprocessors_;
  staging& uploads_;
  std::vector<planned> plans_; // one for each window
  memory counters_;            // [merges, kv_heads], 0 between calls
  memory parts_;               // sums and totals of what is merged
  std::size_t counted_ = 0;
  std::size_t part_bytes_ = 0;
};

} // namespace troupe::cuda
