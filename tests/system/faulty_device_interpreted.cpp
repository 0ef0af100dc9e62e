#include "kernels/cuda/cuda_backend.hpp"
#include "tests/system/faulty_device.hpp"

#include <cuda_runtime.h>

namespace troupe {

std::unique_ptr<backend> make_faulty_device() { return make_cuda_backend({dtype::bf16, true, {}}); }

void break_device() { simt::break_device(); }

} // namespace troupe
