// The activations of one forward pass, allocated once for the largest step. Every buffer is used
// again in each layer.
#pragma once

#include "kernels/ops.hpp"
#include "model/architecture.hpp"

#include <vector>

namespace troupe {

/// Buffers for steps of at most `tokens` rows, and logits of at most `logits_rows` rows at once.
struct workspace {
  /// Throws device_error where the memory is not there.
  workspace(backend& device, const architecture& model, std::int32_t tokens,
            std::int32_t logits_rows);

  matrix residual;  // [tokens, hidden]
  matrix normed;    // [tokens, hidden]
  matrix qkv;       // [tokens, (heads + 2 kv_heads) * head_dim]
  matrix attended;  // [tokens, heads * head_dim]
  matrix delta;     // [tokens, hidden], what a block adds to the residual
  matrix gate_up;   // [tokens, 2 * ffn]
  matrix activated; // [tokens, ffn]
  matrix selected;  // [logits_rows, hidden]
  matrix logits;    // [logits_rows, vocab], f32
  std::vector<memory> owners;

  /// Bytes that such a workspace takes.
  static std::uint64_t bytes(const architecture& model, dtype type, std::int32_t tokens,
                             std::int32_t logits_rows);
};

/// The first `rows` rows of m.
inline matrix first_rows(matrix m, std::int64_t rows) {
  m.rows = rows;
  return m;
}

} // namespace troupe
