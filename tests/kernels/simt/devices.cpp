// The CUDA backend, its kernels interpreted.
#include "kernels/cuda/cuda_backend.hpp"
#include "tests/kernels/device.hpp"

namespace troupe {

namespace {

device_case interpreted(std::string name, dtype type, bool deterministic) {
  return {std::move(name),
          [=] {
            return make_cuda_backend({type, deterministic});
          },
          8, true, deterministic};
}

} // namespace

std::vector<device_case> device_cases() {
  return {interpreted("bf16", dtype::bf16, false),
          interpreted("f16_deterministic", dtype::f16, true)};
}

} // namespace troupe
