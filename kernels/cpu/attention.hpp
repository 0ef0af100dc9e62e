// Attention of one block of queries; the backend splits the work over threads.
#pragma once

#include "kernels/ops.hpp"

namespace troupe {

/// The queries, rows times heads, that one task may have.
inline constexpr std::int32_t max_task_queries = 64;
/// Elements that a head may have.
inline constexpr std::int32_t max_head_dim = 256;

/// Adjacent rows of one sequence and some of the query heads that share a key and value head.
struct attention_task {
  std::int32_t first_row = 0;
  std::int32_t rows = 0; ///< rows * heads <= max_task_queries
  std::int32_t first_head = 0;
  std::int32_t heads = 0;
};

/// What all tasks of one op share; see backend::attention.
struct attention_inputs {
  matrix out;
  matrix qkv;
  head_shape shape;
  kv_pages pages;
  batch_view batch;
  float scale = 1;
  std::int32_t window = 0;
  float softcap = 0;
};

/// Computes one task with the online softmax (Milakov and Gimelshein, 1805.02867) over tiles of 64
/// positions counted from position 0, in order. Uses up to 300 KB of stack.
void attend(const attention_inputs& inputs, const attention_task& task);

} // namespace troupe
