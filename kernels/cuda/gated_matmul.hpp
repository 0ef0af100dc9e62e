// out = silu(gate) * up of a large decode batch, gate and up the halves of x · weightᵀ, in one
// kernel by Hopper's copy engine and matrix units: a library's product would write both halves down
// for another kernel to read. Sums are in an order that does not depend on the batch.
#pragma once

#include "kernels/cuda/tensor_map.hpp"
#include "kernels/ops.hpp"

#include <cuda_runtime.h>

namespace troupe::cuda {

class gated_matmul {
 public:
  /// More rows than a block has. With 256 it was measured to be faster than the library's product
  /// and a kernel behind it, with 128 slower.
  static constexpr std::int64_t least_rows = 129;
  static constexpr std::int64_t most_rows = 256;

  /// Asks the device how many pairs of blocks it runs at once. Throws device_error where it can't
  /// tell.
  explicit gated_matmul(cudaStream_t stream);

  /// Whether it is the way to multiply x, [rows, inner], by weight, [2 * outputs, inner], gate
  /// first.
  static bool takes(const matrix& x, const matrix& weight);

  /// All of one type, bf16 or f16; bias: f32 [2 * outputs] or without data; out: [rows, outputs].
  /// The product is rounded once, at its end. Throws std::invalid_argument for what it does not
  /// take; it takes fewer rows too.
  void run(const matrix& out, const matrix& x, const matrix& weight, const matrix& bias);
  /// The same in tiles of `width` outputs (gated_tile_widths).
  void run_in_tiles(std::int32_t width, const matrix& out, const matrix& x, const matrix& weight,
                    const matrix& bias);

 private:
  static bool can_compute(const matrix& x, const matrix& weight);

  cudaStream_t stream_;
  std::int32_t pairs_;
  tensor_maps maps_;
};

} // namespace troupe::cuda
