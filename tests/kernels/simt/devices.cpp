// The CUDA backend, its kernels interpreted.
#include "kernels/cuda/cuda_backend.hpp"
#include "tests/kernels/device.hpp"

namespace troupe {

namespace {

device_case interpreted(std::string name, dtype type) {
  return {std::move(name), [type] { return make_cuda_backend({type, true}); }, 8, true};
}

} // namespace

std::vector<device_case> device_cases() {
  return {interpreted("bf16", dtype::bf16), interpreted("f16", dtype::f16)};
}

} // namespace troupe
