// out = x · weightᵀ for many rows, by cuBLASLt. Which of its kernels serves a shape is asked once
// and kept; where the shape was tuned, the fastest of those that it proposes was timed. Sums are in
// an order that depends on the shape.
#pragma once

#include "kernels/ops.hpp"

#include <cuda_runtime.h>
#include <filesystem>
#include <memory>
#include <string>

namespace troupe::cuda {

class gemm {
 public:
  /// Takes its workspace. What tuning finds out on this device is kept in the folder `cache`; an
  /// empty path keeps it in memory. Throws device_error where the library can't be used.
  gemm(const std::filesystem::path& cache, const std::string& device);
  gemm(const gemm&) = delete;
  gemm& operator=(const gemm&) = delete;
  ~gemm();

  /// Times what the library proposes for products like run()'s, with each number of rows up to
  /// out.rows that is to be tried and was not before. What out holds is lost. Waits for the stream.
  void tune(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight);

  /// x: [m, k] and weight: [n, k] of one type (bf16, f16), k a multiple of 8; out: [m, n] of that
  /// type or f32. Throws device_error where the library has no kernel or can't start it.
  void run(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight);

 private:
  struct library;
  std::unique_ptr<library> library_;
};

} // namespace troupe::cuda
