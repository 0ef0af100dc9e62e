// What the warpgroups of a prefill block share: its inputs, its shared memory with the barriers by
// which tiles are handed over.
#pragma once

#include "kernels/cuda/prefill_plan.hpp"
#include "kernels/cuda/ptx_hopper.cuh"
#include "kernels/cuda/stage_ring.cuh"

namespace troupe::cuda {

/// Tiles of keys, and as many of values, that are in shared memory at a time. For heads of 128
/// elements no more fit.
constexpr int prefill_stages = 3;

/// A warpgroup brings the tiles, two compute, each with half of a tile's queries.
constexpr int warpgroup_threads = 128;
constexpr int computing_warpgroups = 2;
constexpr int prefill_threads = warpgroup_threads * (1 + computing_warpgroups);
constexpr int warpgroup_queries = prefill_queries / computing_warpgroups;
static_assert(warpgroup_queries == 64 && (prefill_keys == 64 || prefill_keys == 128));

/// One launch's inputs beside the maps of keys and values.
struct prefill_inputs {
  void* out;
  const void* qkv;
  const prefill_item* items;
  const std::int32_t* first_item; ///< [blocks + 1]
  const std::int32_t* block_tables;
  std::int32_t table_stride;
  std::int32_t page_rows; ///< that the pages have: behind them are zeros
  std::int32_t block_tokens;
  std::int32_t box_rows; ///< positions that are copied at a time
  std::int32_t kv_heads;
  std::int32_t group;
  std::int32_t window;
  float factor; ///< scale · log2 e
};

/// Positions that a query at `position` sees: [first_seen(.), position].
__device__ inline int first_seen(const prefill_inputs& in, int position) {
  return in.window > 0 ? max(0, position - in.window + 1) : 0;
}

template <int Dim>
struct prefill_memory {
  static constexpr int panels = Dim / panel_columns;
  std::uint16_t queries[computing_warpgroups][panels][warpgroup_queries * panel_columns];
  std::uint16_t keys[prefill_stages][panels][prefill_keys * panel_columns];
  std::uint16_t values[prefill_stages][panels][prefill_keys * panel_columns];
  prefill_item items[computing_warpgroups]; ///< what the queries are of
  std::uint64_t queries_full[computing_warpgroups], queries_empty[computing_warpgroups];
  std::uint64_t keys_full[prefill_stages], keys_empty[prefill_stages];
  std::uint64_t values_full[prefill_stages], values_empty[prefill_stages];
  std::uint64_t values_landed; ///< in a tile of values that is not yet for all to see

  static constexpr std::uint32_t tile_bytes = sizeof keys[0];

  /// To be called by one thread.
  __device__ void make_barriers() {
    constexpr int warps = warpgroup_threads / 32, computing_warps = computing_warpgroups * warps;
    for (int i = 0; i < computing_warpgroups; ++i) {
      ptx::make_barrier(&queries_full[i], 32);
      ptx::make_barrier(&queries_empty[i], warps);
    }
    for (int i = 0; i < prefill_stages; ++i) {
      ptx::make_barrier(&keys_full[i], 1);
      ptx::make_barrier(&keys_empty[i], computing_warps);
      ptx::make_barrier(&values_full[i], 1);
      ptx::make_barrier(&values_empty[i], computing_warps);
    }
    ptx::make_barrier(&values_landed, 1);
    ptx::publish_barriers();
    ptx::publish_shared();
  }
};

static_assert(panel_memory_bytes<prefill_memory<128>> <= 227 << 10);

} // namespace troupe::cuda
