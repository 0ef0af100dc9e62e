#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/pinned_copies.hpp"

#include <cstdint>

namespace troupe::cuda {

namespace {

constexpr unsigned threads = 256;

// What the host has written is read before the kernels ahead are done, and never from a cache.
__global__ void bring_kernel(std::uint32_t* to, const volatile std::uint32_t* from,
                             std::uint32_t count) {
  const std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  const std::uint32_t word = i < count ? from[i] : 0;
  ptx::wait_for_previous();
  if (i < count) to[i] = word;
  __threadfence();
}

__global__ void leave_kernel(std::uint32_t* to, const std::uint32_t* from, std::uint32_t count) {
  const std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  ptx::wait_for_previous();
  if (i < count) to[i] = from[i];
}

/// Both a multiple of a word, and small.
bool is_for_kernel(const void* device, std::size_t bytes) {
  return bytes <= small_copy_bytes && bytes % sizeof(std::uint32_t) == 0 &&
         reinterpret_cast<std::uintptr_t>(device) % sizeof(std::uint32_t) == 0;
}

std::uint32_t words_of(std::size_t bytes) {
  return static_cast<std::uint32_t>(bytes / sizeof(std::uint32_t));
}

} // namespace

void bring_from_pinned(cudaStream_t stream, void* device, const void* pinned, std::size_t bytes) {
  if (!is_for_kernel(device, bytes))
    return check(cudaMemcpyAsync(device, pinned, bytes, cudaMemcpyHostToDevice, stream),
                 "cudaMemcpyAsync");
  launch(stream, {pieces(words_of(bytes), threads), threads}, bring_kernel,
         static_cast<std::uint32_t*>(device), static_cast<const volatile std::uint32_t*>(pinned),
         words_of(bytes));
}

void leave_in_pinned(cudaStream_t stream, void* pinned, const void* device, std::size_t bytes) {
  if (!is_for_kernel(device, bytes))
    return check(cudaMemcpyAsync(pinned, device, bytes, cudaMemcpyDeviceToHost, stream),
                 "cudaMemcpyAsync");
  launch(stream, {pieces(words_of(bytes), threads), threads}, leave_kernel,
         static_cast<std::uint32_t*>(pinned), static_cast<const std::uint32_t*>(device),
         words_of(bytes));
}

} // namespace troupe::cuda
