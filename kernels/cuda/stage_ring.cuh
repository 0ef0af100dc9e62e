// What kernels share that are fed through a ring of stages in shared memory: where the next one is,
// and where the panels of all begin.
#pragma once

#include "kernels/cuda/ptx_hopper.cuh"
#include "kernels/cuda/shared_matrix.cuh"

namespace troupe::cuda {

/// The next place in a ring and the parity of its barriers' phase.
template <int Stages>
struct ring_place {
  int stage = 0;
  std::uint32_t parity = 0;

  __device__ void advance() {
    if (++stage < Stages) return;
    stage = 0;
    parity ^= 1;
  }
};

/// What a block is given, for a Memory to begin where its panels may.
template <class Memory>
constexpr std::size_t panel_memory_bytes = sizeof(Memory) + panel_alignment;

/// The block's dynamic shared memory, of panel_memory_bytes.
template <class Memory>
__device__ inline Memory& panel_memory() {
  auto* const all = ptx::dynamic_shared<std::byte>();
  const std::uint32_t over = ptx::shared_address(all) % panel_alignment;
  return *reinterpret_cast<Memory*>(all + (over == 0 ? 0 : panel_alignment - over));
}

} // namespace troupe::cuda
