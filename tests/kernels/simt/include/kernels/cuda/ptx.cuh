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
  const std::uint32_t sign = (bits & 0x8000) << 16, exponent = bits >> 10 & 31, rest = bits & 1023;
  if (exponent == 0)
    return std::copysign(static_cast<float>(rest) * 0x1p-24F, std::bit_cast<float>(sign));
  return std::bit_cast<float>(sign | (exponent == 31 ? 255U : exponent + 112) << 23 | rest << 13);
}
inline float unpack_bf16(std::uint32_t bits) { return std::bit_cast<float>(bits << 16); }

inline float exp2(float x) { return std::exp2(x); }

/// What a lane brings to a product.
struct mma_operands {
  std::uint32_t a[4], b[2];
};

/// Two rows of a or two columns of b, in the order of k.
using mma_lines = std::array<std::array<float, 16>, 2>;

/// Every lane computes its own four numbers: rows l/4 and l/4 + 8, columns 2 (l%4) and the next.
template <auto number>
void mma(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  auto& all = simt::block::current();
  const mma_operands mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  const auto& left = all.exchange(0xFFFFFFFF, &mine, sizeof mine);
  const unsigned quad = all.lane() / 4 * 4, columns = 8 * (all.lane() % 4);
  mma_lines rows, cols;
  const auto put = [](std::array<float, 16>& line, unsigned k, std::uint32_t pair) {
    line[k] = number(pair & 0xFFFF);
    line[k + 1] = number(pair >> 16);
  };
  for (unsigned q = 0; q < 4; ++q)
    for (unsigned high = 0; high < 2; ++high) {
      mma_operands of;
      std::memcpy(&of, left[quad + q].data(), sizeof of);
      put(rows[0], 8 * high + 2 * q, of.a[2 * high]);
      put(rows[1], 8 * high + 2 * q, of.a[2 * high + 1]);
      for (unsigned column = 0; column < 2; ++column) {
        std::memcpy(&of, left[columns + 4 * column + q].data(), sizeof of);
        put(cols[column], 8 * high + 2 * q, of.b[high]);
      }
    }
  for (unsigned i = 0; i < 4; ++i) {
    double sum = 0;
    for (unsigned k = 0; k < 16; ++k) sum += double{rows[i / 2][k]} * cols[i % 2][k];
    c[i] = static_cast<float>(c[i] + sum);
  }
}
inline void mma_bf16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  mma<unpack_bf16>(c, a, b);
}
inline void mma_f16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  mma<unpack_f16>(c, a, b);
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

inline float2 load_fresh(const float2* global) { return *global; }

inline void wait_for_previous() {}
inline void allow_next() {}

template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(simt::block::current().shared());
}

} // namespace troupe::ptx
