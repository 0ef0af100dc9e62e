// The ops that work on each row by itself: memory-bound, one block a row, 16 bytes a thread at
// once. Rows are multiples of 8 elements long. Types: activations and pages T (bf16 or f16), norm
// weights f32.
#pragma once

#include "kernels/ops.hpp"

#include <cuda_runtime.h>

namespace troupe::cuda {

/// to[i] = from[i] for n elements, of any types.
void convert(cudaStream_t stream, void* to, dtype to_type, const void* from, dtype from_type,
             std::int64_t n);

/// ids[t] = chosen[from[t]] where from[t] >= 0.
void take_chosen(cudaStream_t stream, token_id* ids, const std::int32_t* from,
                 const token_id* chosen, std::int32_t tokens);

/// table[changes[2i]] = changes[2i + 1] for i < count.
void place(cudaStream_t stream, std::int32_t* table, const std::int32_t* changes,
           std::int32_t count);

/// What embed() found wrong, in device memory.
struct embed_fault {
  std::int32_t found; ///< 0, or 1 + the row
  token_id id;
  std::int32_t vocab;
};

/// out[t] = table[ids[t]]. The row of an id outside the table is left as it is, and told in *fault.
void embed(cudaStream_t stream, const matrix& out, const matrix& table, const token_id* ids,
           embed_fault* fault);

/// residual += delta (where delta.data), out = residual / rms(residual) * weight; where `wanted`
/// [out.rows] is not null, of those rows only, and residual stays as it is.
void add_rms_norm(cudaStream_t stream, const matrix& out, const matrix& residual,
                  const matrix& delta, const matrix& weight, float epsilon,
                  const std::int32_t* wanted = nullptr);

/// As backend::norm_rope_store. frequencies: device memory [head_dim / 2].
void norm_rope_store(cudaStream_t stream, const matrix& qkv, const matrix& query_norm,
                     const matrix& key_norm, float epsilon, const float* frequencies,
                     float attention_factor, const head_shape& heads, const kv_pages& pages,
                     const batch_view& batch);

/// out = silu(gate) * up; gate_up: [rows, 2 * width], gate first.
void silu_mul(cudaStream_t stream, const matrix& out, const matrix& gate_up);

} // namespace troupe::cuda
