// Bringing weights into the L2 cache before the product that reads them: small kernels leave the
// memory idle, so blocks beside theirs ask for what comes next. Weights never change while kernels
// run, so nobody waits for anybody.
#pragma once

#include <cstddef>
#include <cstdint>

namespace troupe::cuda {

/// Device memory, its bounds multiples of 16; empty: nothing is asked for.
struct prefetch_range {
  const std::byte* from = nullptr;
  std::int64_t bytes = 0;
};

/// Blocks that a kernel gets beside its own for a range that is not empty: enough that no thread
/// has to ask twice.
constexpr unsigned prefetch_blocks = 64;
constexpr unsigned blocks_for(const prefetch_range& range) {
  return range.bytes > 0 ? prefetch_blocks : 0;
}

} // namespace troupe::cuda
