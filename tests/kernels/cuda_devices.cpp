// The CUDA backend on a GPU; none where there is no GPU.
#include "kernels/cuda/cuda_backend.hpp"
#include "tests/kernels/device.hpp"

namespace troupe {

namespace {

device_case on_gpu(std::string name, dtype type, bool deterministic) {
  return {std::move(name),
          [=] {
            return make_cuda_backend({type, deterministic});
          },
          8, false, deterministic};
}

} // namespace

std::vector<device_case> device_cases() {
  if (cuda_devices() == 0) return {};
  return {on_gpu("bf16", dtype::bf16, false), on_gpu("bf16_deterministic", dtype::bf16, true),
          on_gpu("f16_deterministic", dtype::f16, true)};
}

} // namespace troupe
