// Paged attention of sequences with few rows, which is reading their keys and values: the way to
// the device's copy rate. A block has a list of pieces and their queries of one key head, which
// share what is read; its warps go through the positions 16 at a time, each with a line of copies
// of its own under way, and meet only at the end. Sequences that were cut are merged by the block
// that is done last, so that there is no second kernel.
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

  /// All calls go to `stream`, that of the uploads.
  decode_attention(cudaStream_t stream, std::int32_t multiprocessors, staging& uploads);

  /// It computes heads of 64 or 128 elements over blocks of a multiple of 16 tokens.
  static bool takes(const head_shape& heads, std::int32_t block_tokens);

  /// Allocates what run() needs but for its plans, some 90 bytes a piece; run() does it where
  /// nobody did. Throws device_error when there is not enough.
  void reserve();

  /// Plans for a batch with the heads that are known, so that run() finds the plan made; it makes
  /// those of others.
  void begin(const batch_view& batch);
  /// What the launches of run() depend on beside its arguments: while it is the same, so are they.
  std::uint64_t launches() const;

  /// backend::attention for the batch's sequences of at most most_rows rows; batch.runs is needed.
  /// Values must be finite.
  void run(const matrix& out, const matrix& qkv, const head_shape& heads, const kv_pages& pages,
           const batch_view& batch, float scale, std::int32_t window, float softcap);

 private:
  /// What is on the device for heads of one shape, until the next batch.
  struct planned {
    decode_shape shape;
    std::int32_t head_dim = 0;
    memory on_device; // [capacity] of decode_piece
    std::size_t capacity = 0;
    std::size_t lists = 0;
    bool is_current = false; ///< of this batch
  };
  std::int32_t blocks() const;
  std::int64_t most_parts() const;
  planned& planned_for(const decode_shape& shape, std::int32_t head_dim);
  void plan(planned& at, const batch_view& batch);

  cudaStream_t stream_;
  std::int32_t multiprocessors_;
  staging& uploads_;
  std::vector<planned> plans_;
  memory counters_; // [parts, kv_heads], 0 between calls
  memory parts_;    // sums and totals of what is merged
};

} // namespace troupe::cuda
