// How a weight [n, k] lies in memory: panels of 64 outputs, each [k, 64], the last one padded with
// zeros. A panel is read from front to back once for up to six rows of activations, each output has
// a lane of its own, and so its sum runs along k in order: nothing to reduce at the end, and the
// same bits however many rows there are.
#pragma once

#include "kernels/tensor.hpp"

#include <span>

namespace troupe {

/// Outputs of one panel.
inline constexpr std::int64_t panel_width = 64;

/// Panels of a weight of `rows` outputs.
constexpr std::int64_t panels_of(std::int64_t rows) {
  return (rows + panel_width - 1) / panel_width;
}

/// Bytes of a packed weight [rows, cols].
constexpr std::size_t packed_bytes(std::int64_t rows, std::int64_t cols, dtype type) {
  return static_cast<std::size_t>(panels_of(rows) * panel_width * cols) * size_of(type);
}

/// Fills rows first .. first + part.rows of the packed weight at `to` from `part`. The columns must
/// be the packed weight's.
void pack_rows(void* to, std::int64_t first, const host_matrix& part);

/// Row `row` of a packed weight as f32: out[cols].
void unpack_row(float* out, const matrix& weight, std::int64_t row);

} // namespace troupe
