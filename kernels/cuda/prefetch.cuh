// The device's side of kernels/cuda/prefetch.hpp.
#pragma once

#include "kernels/cuda/prefetch.hpp"
#include "kernels/cuda/ptx.cuh"

namespace troupe::cuda {

/// Asks for the share of block `block` among `blocks`; all threads of the block call it.
__device__ inline void prefetch_share(const prefetch_range& range, unsigned block,
                                      unsigned blocks) {
  constexpr std::int64_t piece = 16 << 10;
  const std::int64_t stride = std::int64_t{blocks} * blockDim.x * piece;
  for (std::int64_t at = (std::int64_t{threadIdx.x} * blocks + block) * piece; at < range.bytes;
       at += stride) {
    const std::int64_t left = range.bytes - at;
    ptx::prefetch(range.from + at, static_cast<std::uint32_t>(left < piece ? left : piece));
  }
}

} // namespace troupe::cuda
