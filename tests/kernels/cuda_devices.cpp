// The CUDA backend on a GPU; none where there is no GPU.
#include "kernels/cuda/cuda_backend.hpp"
#include "tests/kernels/device.hpp"

namespace troupe {

namespace {

device_case on_gpu(std::string name, dtype type) {
  return {std::move(name), [type] { return make_cuda_backend({type, true}); }, 8, false};
}

} // namespace

std::vector<device_case> device_cases() {
  if (cuda_devices() == 0) return {};
  return {on_gpu("bf16", dtype::bf16), on_gpu("f16", dtype::f16)};
}

} // namespace troupe
