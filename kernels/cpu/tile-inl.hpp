// The one multiplication of this backend: a few rows of activations times a panel, accumulated in
// registers. Matmul calls it on weights, attention on tiles of keys and values. Compiled once for
// each instruction set, so it has no include guard of the usual kind.
//
// Every output is its own lane's sum over k from front to back, fused where the processor can, and
// added to what stands in c: which other rows and columns are computed beside it changes nothing.

#if defined(TROUPE_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef TROUPE_TILE_INL
#undef TROUPE_TILE_INL
#else
#define TROUPE_TILE_INL
#endif

#include "kernels/cpu/packed_weight.hpp"

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace troupe::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using floats = hn::CappedTag<float, 16>;
inline constexpr int lanes = hn::MaxLanes(floats());

HWY_INLINE hn::Vec<floats> load(const float* p) { return hn::LoadU(floats(), p); }
HWY_INLINE hn::Vec<floats> load(const hwy::bfloat16_t* p) {
  return hn::PromoteTo(floats(), hn::LoadU(hn::Rebind<hwy::bfloat16_t, floats>(), p));
}
HWY_INLINE hn::Vec<floats> load(const hwy::float16_t* p) {
  return hn::PromoteTo(floats(), hn::LoadU(hn::Rebind<hwy::float16_t, floats>(), p));
}

/// How far along k 16-bit weights, which come from memory, are called for before they are used.
inline constexpr std::int64_t weights_ahead = 48;

/// Rows that one call of tile() can take.
inline constexpr int max_tile_rows = 6;

/// Vectors of columns beside `rows` rows that fit the registers: 32 of AVX-512, else 16.
constexpr int vectors_beside(int rows) {
  const int fit = (lanes == 16 ? 24 : 12) / rows;
  const int all = static_cast<int>(panel_width) / lanes;
  return std::min(all, fit >= 8 ? 8 : fit >= 4 ? 4 : 2);
}

/// c[Rows, panel_width] += x[Rows, k] · panel[k, panel_width], for Vectors vectors of columns.
template <int Rows, int Vectors, class W>
HWY_INLINE void tile(const float* HWY_RESTRICT x, std::int64_t x_stride,
                     const W* HWY_RESTRICT panel, std::int64_t k, float* HWY_RESTRICT c) {
  const floats d;
  hn::Vec<floats> sums[Rows][Vectors];
#pragma GCC unroll 8
  for (int row = 0; row < Rows; ++row)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) sums[row][v] = hn::Zero(d);
  for (std::int64_t i = 0; i < k; ++i) {
    hn::Vec<floats> weights[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) weights[v] = load(panel + i * panel_width + v * lanes);
    if constexpr (sizeof(W) == 2) {
      hwy::Prefetch(panel + (i + weights_ahead) * panel_width);
      hwy::Prefetch(panel + (i + weights_ahead) * panel_width + panel_width / 2);
    }
#pragma GCC unroll 8
    for (int row = 0; row < Rows; ++row) {
      const auto activation = hn::Set(d, x[row * x_stride + i]);
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v)
        sums[row][v] = hn::MulAdd(activation, weights[v], sums[row][v]);
    }
  }
#pragma GCC unroll 8
  for (int row = 0; row < Rows; ++row)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      float* const to = c + row * panel_width + v * lanes;
      hn::StoreU(hn::Add(hn::LoadU(d, to), sums[row][v]), d, to);
    }
}

/// tile() for the first `columns` columns, rounded up to whole vectors.
template <int Rows, class W>
HWY_NOINLINE void tiles(const float* x, std::int64_t x_stride, const W* panel, std::int64_t k,
                        std::int64_t columns, float* c) {
  constexpr int most = vectors_beside(Rows);
  constexpr int half = std::max(1, most / 2);
  std::int64_t column = 0;
  for (; column + most * lanes <= columns; column += most * lanes)
    tile<Rows, most>(x, x_stride, panel + column, k, c + column);
  for (; column + half * lanes <= columns; column += half * lanes)
    tile<Rows, half>(x, x_stride, panel + column, k, c + column);
  for (; column < columns; column += lanes)
    tile<Rows, 1>(x, x_stride, panel + column, k, c + column);
}

/// c[rows, panel_width] += x[rows, k] · panel[k, panel_width] in the first `columns` columns
/// (rounded up to whole vectors). Rows of x are x_stride elements apart, those of c panel_width.
template <class W>
HWY_INLINE void multiply(const float* x, std::int64_t x_stride, std::int64_t rows, const W* panel,
                         std::int64_t k, std::int64_t columns, float* c) {
  std::int64_t row = 0;
  for (; row + max_tile_rows <= rows; row += max_tile_rows)
    tiles<max_tile_rows>(x + row * x_stride, x_stride, panel, k, columns, c + row * panel_width);
  const float* const rest = x + row * x_stride;
  float* const to = c + row * panel_width;
  switch (rows - row) {
  case 1:
    return tiles<1>(rest, x_stride, panel, k, columns, to);
  case 2:
    return tiles<2>(rest, x_stride, panel, k, columns, to);
  case 3:
    return tiles<3>(rest, x_stride, panel, k, columns, to);
  case 4:
    return tiles<4>(rest, x_stride, panel, k, columns, to);
  case 5:
    return tiles<5>(rest, x_stride, panel, k, columns, to);
  default:
    return;
  }
}

} // namespace troupe::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
