// Stands in for kernels/cuda/gemm.cpp, whose library needs a GPU: the sums written out.
#include "kernels/cuda/gemm.hpp"

#include "kernels/cuda/numbers.cuh"

namespace troupe::cuda {

struct gemm::library {};

gemm::gemm(const std::filesystem::path&, const std::string&) {}
gemm::~gemm() = default;

void gemm::tune(cudaStream_t, const matrix&, const matrix&, const matrix&) {}

namespace {

void multiply(const matrix& out, const matrix& x, const matrix& weight) {
  const auto number = [](const matrix& m, std::int64_t i) {
    const std::uint32_t bits = static_cast<const std::uint16_t*>(m.data)[i];
    return m.type == dtype::bf16 ? bf16::number(bits) : f16::number(bits);
  };
  for (std::int64_t row = 0; row < out.rows; ++row)
    for (std::int64_t col = 0; col < out.cols; ++col) {
      double sum = 0;
      for (std::int64_t k = 0; k < x.cols; ++k)
        sum += double{number(x, row * x.cols + k)} * number(weight, col * x.cols + k);
      const auto total = static_cast<float>(sum);
      const std::int64_t at = row * out.cols + col;
      if (out.type == dtype::f32)
        static_cast<float*>(out.data)[at] = total;
      else if (out.type == dtype::bf16)
        static_cast<bf16*>(out.data)[at] = from_float<bf16>(total);
      else
        static_cast<f16*>(out.data)[at] = from_float<f16>(total);
    }
}

} // namespace

void gemm::run(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight) {
  simt::issue(stream, [=] { multiply(out, x, weight); });
}

} // namespace troupe::cuda
