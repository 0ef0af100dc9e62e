// A panel of a weight times a block of rows. Few rows read the weights as they are stored, since
// memory sets the pace; many rows pay for widening a stretch of the panel to f32 once. Both are the
// same sums: widening is exact.
#include "kernels/cpu/matmul.hpp"

#include "kernels/cpu/targets.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/matmul.cpp"
#include <hwy/foreach_target.h>
#include "kernels/cpu/tile-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace troupe::HWY_NAMESPACE {

constexpr std::int64_t stretch = 128;
constexpr std::int64_t rows_to_widen_for = 12;

template <class W>
void block(const float* x, std::int64_t rows, std::int64_t k, const W* panel, float* sums) {
  alignas(64) float wide[stretch * panel_width];
  for (std::int64_t first = 0; first < k; first += stretch) {
    const std::int64_t length = std::min(stretch, k - first);
    const W* const part = panel + first * panel_width;
    if constexpr (!std::is_same_v<W, float>) {
      if (rows >= rows_to_widen_for) {
        for (std::int64_t i = 0; i < length * panel_width; i += lanes)
          hn::Store(load(part + i), floats(), wide + i);
        multiply(x + first, k, rows, wide, length, panel_width, sums);
        continue;
      }
    }
    multiply(x + first, k, rows, part, length, panel_width, sums);
  }
}

void matmul_block(const float* x, std::int64_t rows, std::int64_t k, const void* panel, dtype type,
                  float* sums) {
  switch (type) {
  case dtype::f32:
    return block(x, rows, k, static_cast<const float*>(panel), sums);
  case dtype::f16:
    return block(x, rows, k, static_cast<const hwy::float16_t*>(panel), sums);
  case dtype::bf16:
    return block(x, rows, k, static_cast<const hwy::bfloat16_t*>(panel), sums);
  }
}

} // namespace troupe::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace troupe {

HWY_EXPORT(matmul_block);

void matmul_panel(const matrix& out, const matrix& x, const matrix& weight, const float* bias,
                  std::int64_t panel, std::int64_t first_row, std::int64_t last_row) {
  alignas(64) float sums[max_block_rows * panel_width];
  const std::int64_t rows = last_row - first_row;
  const std::int64_t k = weight.cols;
  std::fill_n(sums, rows * panel_width, 0.0F);
  const auto* const packed = static_cast<const std::byte*>(weight.data) +
                             packed_bytes(panel * panel_width, k, weight.type);
  HWY_DYNAMIC_DISPATCH(matmul_block)
  (static_cast<const float*>(x.data) + first_row * k, rows, k, packed, weight.type, sums);
  const std::int64_t first = panel * panel_width;
  const std::int64_t width = std::min(panel_width, weight.rows - first);
  for (std::int64_t row = 0; row < rows; ++row) {
    float* const to = static_cast<float*>(out.data) + (first_row + row) * weight.rows + first;
    const float* const from = sums + row * panel_width;
    if (bias == nullptr)
      std::copy_n(from, width, to);
    else
      for (std::int64_t i = 0; i < width; ++i) to[i] = from[i] + bias[first + i];
  }
}

} // namespace troupe
#endif
