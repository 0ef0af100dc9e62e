// Moving weights into panels and rows out of them.
#include "kernels/cpu/packed_weight.hpp"

#include "kernels/cpu/numbers.hpp"

#include <algorithm>

namespace troupe {

namespace {

template <class T>
void pack(T* to, std::int64_t first, const T* from, std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t stretch = 64; // of a row, so that a panel's lines stay in the cache
  for (std::int64_t row = 0; row < rows;) {
    const std::int64_t lane = (first + row) % panel_width;
    const std::int64_t lanes = std::min(panel_width - lane, rows - row);
    T* panel = to + (first + row) / panel_width * panel_width * cols + lane;
    for (std::int64_t begin = 0; begin < cols; begin += stretch) {
      const std::int64_t end = std::min(cols, begin + stretch);
      for (std::int64_t i = 0; i < lanes; ++i)
        for (std::int64_t k = begin; k < end; ++k)
          panel[k * panel_width + i] = from[(row + i) * cols + k];
    }
    row += lanes;
  }
}

} // namespace

void pack_rows(void* to, std::int64_t first, const host_matrix& part) {
  if (part.type == dtype::f32)
    pack(static_cast<float*>(to), first, static_cast<const float*>(part.data), part.rows,
         part.cols);
  else
    pack(static_cast<std::uint16_t*>(to), first, static_cast<const std::uint16_t*>(part.data),
         part.rows, part.cols);
}

void unpack_row(float* out, const matrix& weight, std::int64_t row) {
  const std::int64_t start = row / panel_width * panel_width * weight.cols + row % panel_width;
  const auto gather = [&](const auto* data, auto&& convert) {
    for (std::int64_t k = 0; k < weight.cols; ++k) out[k] = convert(data[start + k * panel_width]);
  };
  switch (weight.type) {
  case dtype::f32:
    return gather(static_cast<const float*>(weight.data), [](float value) { return value; });
  case dtype::f16:
    return gather(static_cast<const std::uint16_t*>(weight.data), from_f16);
  case dtype::bf16:
    return gather(static_cast<const std::uint16_t*>(weight.data), from_bf16);
  }
}

} // namespace troupe
