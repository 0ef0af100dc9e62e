// The two types that activations, weights and pages have on a GPU, as bits: arithmetic is f32.
// Eight of them are 16 bytes, which is what a thread loads and stores at once.
#pragma once

#include "kernels/cuda/ptx.cuh"
#include "kernels/tensor.hpp"

namespace troupe {

struct bf16 {
  std::uint16_t bits;
  static constexpr dtype type = dtype::bf16;

  __device__ static float number(std::uint32_t low_half) { return __uint_as_float(low_half << 16); }
  __device__ static std::uint32_t pack(float low, float high) { return ptx::pack_bf16(low, high); }
  __device__ static void mma(float (&c)[4], const std::uint32_t (&a)[4],
                             const std::uint32_t (&b)[2]) {
    ptx::mma_bf16(c, a, b);
  }
};

struct f16 {
  std::uint16_t bits;
  static constexpr dtype type = dtype::f16;

  __device__ static float number(std::uint32_t low_half) { return ptx::unpack_f16(low_half); }
  __device__ static std::uint32_t pack(float low, float high) { return ptx::pack_f16(low, high); }
  __device__ static void mma(float (&c)[4], const std::uint32_t (&a)[4],
                             const std::uint32_t (&b)[2]) {
    ptx::mma_f16(c, a, b);
  }
};

/// Numbers of a 16-byte vector.
constexpr int vector_size = 8;

template <class T>
__device__ inline float to_float(T x) {
  return T::number(x.bits);
}
template <class T>
__device__ inline T from_float(float x) {
  return {static_cast<std::uint16_t>(T::pack(x, 0.0F))};
}

template <class T>
__device__ inline void unpack(float (&out)[vector_size], const uint4& packed) {
  const std::uint32_t words[4] = {packed.x, packed.y, packed.z, packed.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    out[2 * i] = T::number(words[i] & 0xFFFF);
    out[2 * i + 1] = T::number(words[i] >> 16);
  }
}
template <class T>
__device__ inline uint4 pack(const float (&x)[vector_size]) {
  return {T::pack(x[0], x[1]), T::pack(x[2], x[3]), T::pack(x[4], x[5]), T::pack(x[6], x[7])};
}

/// Eight numbers at `from`, which is aligned to 16 bytes.
template <class T>
__device__ inline void load(float (&out)[vector_size], const T* from) {
  unpack<T>(out, *reinterpret_cast<const uint4*>(from));
}
template <class T>
__device__ inline void store(T* to, const float (&x)[vector_size]) {
  *reinterpret_cast<uint4*>(to) = pack<T>(x);
}

__device__ inline float silu(float x) { return x / (1.0F + expf(-x)); }

/// The sum over a warp, the same bits in every lane.
__device__ inline float warp_sum(float x) {
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) x += __shfl_xor_sync(0xFFFFFFFF, x, bits);
  return x;
}
__device__ inline float warp_max(float x) {
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) x = fmaxf(x, __shfl_xor_sync(0xFFFFFFFF, x, bits));
  return x;
}

} // namespace troupe
