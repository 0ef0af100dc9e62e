// Stands in for kernels/cuda/ptx.cuh: the same functions, interpreted.
#pragma once

#include <array>
#include <cuda_runtime.h>

namespace troupe::ptx {

inline std::uint32_t bf16_bits(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (std::isnan(x)) return bits >> 16 | 0x40;
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}
inline std::uint32_t f16_bits(float x) {
  return std::bit_cast<std::uint16_t>(static_cast<_Float16>(x));
}

inline std::uint32_t pack_bf16(float low, float high) {
  return bf16_bits(low) | bf16_bits(high) << 16;
}
inline std::uint32_t pack_f16(float low, float high) {
  return f16_bits(low) | f16_bits(high) << 16;
}
inline float unpack_f16(std::uint32_t bits) {
  return static_cast<float>(std::bit_cast<_Float16>(static_cast<std::uint16_t>(bits)));
}
inline float unpack_bf16(std::uint32_t bits) { return std::bit_cast<float>(bits << 16); }

inline float exp2(float x) { return std::exp2(x); }

/// What a lane brings to a product.
struct mma_operands {
  std::uint32_t a[4], b[2];
};

/// Every lane computes its own four numbers from what all lanes brought.
inline void mma(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                float (*number)(std::uint32_t)) {
  auto& all = simt::block::current();
  mma_operands mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  const auto& left = all.exchange(0xFFFFFFFF, &mine, sizeof mine);
  std::array<mma_operands, 32> of;
  for (unsigned lane = 0; lane < 32; ++lane) std::memcpy(&of[lane], left[lane].data(), sizeof mine);
  const auto half = [number](std::uint32_t pair, unsigned i) {
    return number(i == 0 ? pair & 0xFFFF : pair >> 16);
  };
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = all.lane() / 4, column = 2 * (all.lane() % 4) + i % 2;
    double sum = 0;
    for (unsigned k = 0; k < 16; ++k) {
      const unsigned in_quad = k % 8 / 2, high = k / 8;
      sum += double{half(of[4 * row + in_quad].a[2 * high + i / 2], k % 2)} *
             half(of[4 * column + in_quad].b[high], k % 2);
    }
    c[i] = static_cast<float>(c[i] + sum);
  }
}
inline void mma_bf16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  mma(c, a, b, unpack_bf16);
}
inline void mma_f16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  mma(c, a, b, unpack_f16);
}

/// The rows that the lanes of the warp give.
inline std::array<const std::uint16_t*, 32> rows_of_all(const void* row) {
  const auto& left = simt::block::current().exchange(0xFFFFFFFF, &row, sizeof row);
  std::array<const std::uint16_t*, 32> out;
  for (unsigned lane = 0; lane < 32; ++lane)
    std::memcpy(&out[lane], left[lane].data(), sizeof(void*));
  return out;
}
inline void load_matrices(std::uint32_t (&out)[4], const void* row) {
  const auto rows = rows_of_all(row);
  const unsigned lane = simt::block::current().lane();
  for (unsigned i = 0; i < 4; ++i) std::memcpy(&out[i], rows[8 * i + lane / 4] + 2 * (lane % 4), 4);
  __syncwarp(); // nobody writes there before all have read
}
inline void load_matrices_transposed(std::uint32_t (&out)[4], const void* row) {
  const auto rows = rows_of_all(row);
  const unsigned lane = simt::block::current().lane();
  for (unsigned i = 0; i < 4; ++i)
    out[i] = rows[8 * i + 2 * (lane % 4)][lane / 4] |
             std::uint32_t{rows[8 * i + 2 * (lane % 4) + 1][lane / 4]} << 16;
  __syncwarp();
}

/// Reads when it is waited for, as late as the hardware may.
inline void copy_async(void* shared, const void* global, bool valid = true) {
  simt::block::current().later([=] {
    if (valid)
      std::memcpy(shared, global, 16);
    else
      std::memset(shared, 0, 16);
  });
}
inline void commit_copies() { simt::block::current().commit_later(); }
template <int Pending>
void wait_copies() {
  simt::block::current().settle_later(Pending);
}

inline uint4 load_once(const void* global) {
  uint4 out;
  std::memcpy(&out, global, sizeof out);
  return out;
}

inline void wait_for_previous() {}
inline void allow_next() {}

template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(simt::block::current().shared());
}

} // namespace troupe::ptx
