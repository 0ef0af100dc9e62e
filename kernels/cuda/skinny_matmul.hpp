// out = x · weightᵀ + bias for few rows of x, where reading the weights once is all the time there
// is. A row's result has the same bits whatever the other rows are, and however many.
#pragma once

#include "kernels/ops.hpp"

#include <cuda_runtime.h>

namespace troupe::cuda {

/// The most rows that it multiplies faster than cuBLASLt.
constexpr std::int64_t skinny_rows = 8;

/// x: [m, k] and weight: [n, k] of one type, k a multiple of 8; bias: f32 [n] or without data;
/// out: [m, n] of that type or f32. More than 16 rows read the weights several times.
void skinny_matmul(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight,
                   const matrix& bias);

/// backend::gated_matmul, of the same types; the product is rounded once, at its end.
void gated_skinny_matmul(cudaStream_t stream, const matrix& out, const matrix& x,
                         const matrix& gate_up, const matrix& bias);

/// out[i][j] += bias[j]. out: [m, n] of T or f32; bias: f32 [n].
void add_bias(cudaStream_t stream, const matrix& out, const matrix& bias);

} // namespace troupe::cuda
