#include "kernels/cuda/gated_matmul_plan.hpp"

#include <algorithm>

namespace troupe::cuda {

std::int32_t choose_gated_tile(std::int64_t outputs, std::int32_t pairs) {
  // A tile takes as long as if it had so many outputs more: the rows have to come too.
  constexpr std::int64_t rows_cost = 64;
  const auto cost = [&](std::int32_t width) {
    const std::int64_t tiles = (outputs + width - 1) / width;
    return (tiles + pairs - 1) / pairs * (width + rows_cost);
  };
  return std::ranges::min(gated_tile_widths, {}, cost);
}

} // namespace troupe::cuda
