// Matmul of a range of panels and rows; the backend splits the work over threads.
#pragma once

#include "kernels/cpu/packed_weight.hpp"

namespace troupe {

/// The most rows that one call of matmul_panel() takes: a multiple of the register tile's rows.
inline constexpr std::int64_t max_block_rows = 96;

/// out = x · weightᵀ + bias for rows [first_row, last_row), at most max_block_rows, and the outputs
/// of one panel. x: f32 [., k]; weight: [n, k] packed; bias: f32 [n] or null; out: f32 [., n]. Sums
/// run along k in stretches of 128, one added to the other in order.
void matmul_panel(const matrix& out, const matrix& x, const matrix& weight, const float* bias,
                  std::int64_t panel, std::int64_t first_row, std::int64_t last_row);

} // namespace troupe
