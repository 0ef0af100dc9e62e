// How the gated product of a decode batch is cut for Hopper: pairs of blocks take a tile of outputs
// after the other, so that tiles of the best width leave the fewest pairs idle at the end.
#pragma once

#include <array>
#include <cstdint>

namespace troupe::cuda {

/// Outputs of a tile, the choice that there is.
inline constexpr std::array<std::int32_t, 4> gated_tile_widths{64, 96, 112, 128};

/// The width that takes the least time for so many outputs (at least 1) on so many pairs of blocks
/// (at least 1).
std::int32_t choose_gated_tile(std::int64_t outputs, std::int32_t pairs);

} // namespace troupe::cuda
