// CUDA's runtime with owners and with errors that say what was asked.
#pragma once

#include "kernels/ops.hpp"

#include <cuda_runtime.h>
#include <memory>
#include <string>

namespace troupe::cuda {

/// Throws device_error that names the call, the error and its meaning.
void check(cudaError_t result, const char* call);

/// Destroys a stream.
struct end_stream {
  void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
};
using owned_stream = std::unique_ptr<std::remove_pointer_t<cudaStream_t>, end_stream>;

struct end_event {
  void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
};
using owned_event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, end_event>;

owned_stream make_stream();
owned_event make_event();

/// Memory of the device. Throws device_error with what was asked and what was free.
memory allocate_device(std::size_t bytes);
/// Host memory that the device copies from and to by itself.
memory allocate_pinned(std::size_t bytes);

} // namespace troupe::cuda
