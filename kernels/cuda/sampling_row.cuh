// Passing over a row of logits with a whole block, and the order of its tokens: the higher logit
// first, the lower id first among equals. The order is an integer, so that a maximum of orders
// finds the token too.
#pragma once

#include "kernels/cuda/numbers.cuh"

namespace troupe::cuda::sampling {

constexpr int most_threads = 1024;
constexpr int most_warps = most_threads / 32;
constexpr int tile = 128;   // elements that a warp looks at in one step
constexpr int id_bits = 23; // in a token's place in the order
constexpr int order_bits = 32 + id_bits;
constexpr std::uint64_t not_finite = ~std::uint64_t{0};

__device__ inline float minus_infinity() { return __uint_as_float(0xFF800000); }

/// Bits that rise with the number; the zeros are equal.
__device__ inline std::uint32_t rising_bits(float x) {
  const std::uint32_t bits = __float_as_uint(x + 0.0F);
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000;
}
__device__ inline float number_of(std::uint32_t rising) {
  return __uint_as_float(rising >> 31 != 0 ? rising & 0x7FFFFFFF : ~rising);
}

/// Falls from the best token to the worst.
__device__ inline std::uint64_t order_of(float logit, int id) {
  return std::uint64_t{rising_bits(logit)} << id_bits |
         static_cast<std::uint32_t>((1 << id_bits) - 1 - id);
}
__device__ inline int id_of(std::uint64_t order) {
  return (1 << id_bits) - 1 - static_cast<int>(order & ((1U << id_bits) - 1));
}
__device__ inline float logit_of(std::uint64_t order) {
  return number_of(static_cast<std::uint32_t>(order >> id_bits));
}

__device__ inline std::uint64_t warp_sum(std::uint64_t x) {
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) x += __shfl_xor_sync(0xFFFFFFFF, x, bits);
  return x;
}

__device__ inline std::uint64_t block_max(std::uint64_t x, std::uint64_t (&of_warps)[most_warps]) {
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) {
    const std::uint64_t other = __shfl_xor_sync(0xFFFFFFFF, x, bits);
    x = other > x ? other : x;
  }
  __syncthreads();
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = x;
  __syncthreads();
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp)
    x = of_warps[warp] > x ? of_warps[warp] : x;
  return x;
}

/// Four elements, -inf where they are behind the end.
__device__ inline void fetch(float (&x)[4], const float* row, int first, int end, bool aligned) {
  if (aligned && first + 4 <= end) {
    const float4 four = *reinterpret_cast<const float4*>(row + first);
    x[0] = four.x, x[1] = four.y, x[2] = four.z, x[3] = four.w;
  } else {
#pragma unroll
    for (int k = 0; k < 4; ++k) x[k] = first + k < end ? row[first + k] : minus_infinity();
  }
}

/// Calls work(id, x) for each four adjacent elements in [begin, end), where begin is a multiple of
/// 4; what is behind the end is -inf. All lanes of a warp come together, at adjacent places, and
/// each thread's ids rise. Loads run Ahead steps ahead of the work.
template <int Ahead = 1, class Work>
__device__ void visit(const float* row, int begin, int end, const Work& work) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(row) % 16 == 0;
  const int step = static_cast<int>(blockDim.x) / 32 * tile;
  const int lane = static_cast<int>(threadIdx.x) % 32 * 4;
  int at = begin + static_cast<int>(threadIdx.x) / 32 * tile;
  float ahead[Ahead][4];
#pragma unroll
  for (int i = 0; i < Ahead; ++i) fetch(ahead[i], row, at + i * step + lane, end, aligned);
  while (at < end) {
#pragma unroll
    for (int i = 0; i < Ahead; ++i, at += step) {
      if (at >= end) return;
      float x[4];
#pragma unroll
      for (int k = 0; k < 4; ++k) x[k] = ahead[i][k];
      fetch(ahead[i], row, at + Ahead * step + lane, end, aligned);
      work(at + lane, x);
    }
  }
}

/// Collects a thread's best token, and whether anything is NaN or +inf.
struct best_token {
  float highest = -1;
  int id = -1;
  bool finite = true;

  __device__ void look(int first, const float (&x)[4]) {
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      finite = finite && x[k] < __uint_as_float(0x7F800000);
      if (id >= 0 && !(x[k] > highest)) continue;
      highest = x[k];
      id = first + k;
    }
  }
  __device__ std::uint64_t order() const {
    return !finite ? not_finite : id < 0 ? 0 : order_of(highest, id);
  }
};

/// Order of the best token in [begin, end), or not_finite. begin is a multiple of 4.
__device__ inline std::uint64_t find_peak(const float* row, int begin, int end,
                                          std::uint64_t (&of_warps)[most_warps]) {
  best_token best;
  visit<2>(row, begin, end, [&](int first, const float(&x)[4]) { best.look(first, x); });
  return block_max(best.order(), of_warps);
}

} // namespace troupe::cuda::sampling
