#include "kernels/cuda/cuda_backend.hpp"
#include "tests/system/faulty_device.hpp"

namespace troupe {

namespace {

__global__ void write_to(volatile int* address) { *address = 1; }

} // namespace

bool has_faulty_device() { return cuda_devices() > 0; }

std::unique_ptr<backend> make_faulty_device() { return make_cuda_backend({dtype::bf16, true, {}}); }

void break_device() {
  write_to<<<1, 1>>>(nullptr);
  cudaDeviceSynchronize();
}

} // namespace troupe
