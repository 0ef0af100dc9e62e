#include "kernels/cuda/runtime.hpp"

#include <fmt/format.h>

namespace troupe::cuda {

void check(cudaError_t result, const char* call) {
  if (result == cudaSuccess) return;
  throw device_error(fmt::format("cuda: {} failed: {} ({})", call, cudaGetErrorString(result),
                                 cudaGetErrorName(result)));
}

owned_stream make_stream() {
  cudaStream_t made = nullptr;
  check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "cudaStreamCreate");
  return owned_stream(made);
}

owned_event make_event() {
  cudaEvent_t made = nullptr;
  check(cudaEventCreate(&made), "cudaEventCreate");
  return owned_event(made);
}

memory allocate_device(std::size_t bytes) {
  void* made = nullptr;
  const auto result = cudaMalloc(&made, bytes > 0 ? bytes : 1);
  if (result != cudaSuccess) {
    cudaGetLastError(); // this one is told here, not by the next check
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw device_error(fmt::format("cuda: {} bytes asked for, {} of {} free: {}", bytes, free,
                                   total, cudaGetErrorString(result)));
  }
  return {static_cast<std::byte*>(made), [](std::byte* p) { cudaFree(p); }};
}

memory allocate_pinned(std::size_t bytes) {
  void* made = nullptr;
  check(cudaHostAlloc(&made, bytes, cudaHostAllocDefault), "cudaHostAlloc");
  return {static_cast<std::byte*>(made), [](std::byte* p) { cudaFreeHost(p); }};
}

} // namespace troupe::cuda
