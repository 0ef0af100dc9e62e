// The CUDA backend, its kernels interpreted.
#include "kernels/cuda/cuda_backend.hpp"
#include "tests/kernels/device.hpp"

namespace troupe {

std::vector<device_case> device_cases() {
  return {{"bf16",
           [] {
             return make_cuda_backend({dtype::bf16, true});
           },
           8},
          {"f16",
           [] {
             return make_cuda_backend({dtype::f16, true});
           },
           8}};
}

} // namespace troupe
