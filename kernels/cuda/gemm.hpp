// out = x · weightᵀ for many rows, by cuBLASLt: which of its kernels serves a shape is asked once
// and kept. Sums are in an order that depends on the shape.
#pragma once

#include "kernels/ops.hpp"

#include <cuda_runtime.h>
#include <memory>

namespace troupe::cuda {

class gemm {
 public:
  /// Takes its workspace. Throws device_error where the library can't be used.
  gemm();
  gemm(const gemm&) = delete;
  gemm& operator=(const gemm&) = delete;
  ~gemm();

  /// x: [m, k] and weight: [n, k] of one type (bf16, f16), k a multiple of 8; out: [m, n] of that
  /// type or f32. Throws device_error where the library has no kernel or can't start it.
  void run(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight);

 private:
  struct library;
  std::unique_ptr<library> library_;
};

} // namespace troupe::cuda
