// The kernel of prefill attention and its launch. A block stays on its multiprocessor for all its
// items: the warpgroup that brings tiles is ahead of the two that compute, over the ends of items
// too, and leaves them its registers.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/prefill_attention.hpp"
#include "kernels/cuda/prefill_copies.cuh"
#include "kernels/cuda/prefill_warpgroup.cuh"

#include <algorithm>
#include <numbers>

namespace troupe::cuda {

namespace {

/// Registers of a thread; together no more than the launch has.
constexpr int bringing_registers = 56;
constexpr int computing_registers = 224;

/// Calls work(item) with the block's items.
template <class Work>
__device__ void each_item(const prefill_inputs& in, const Work& work) {
  const int end = in.first_item[blockIdx.x + 1];
  for (int i = in.first_item[blockIdx.x]; i < end; ++i) {
    const prefill_item item = in.items[i];
    work(item);
  }
}

/// A warpgroup's four warps have a part each.
template <class T, int Dim>
__device__ void bring_tiles(const prefill_inputs& in, const CUtensorMap& keys,
                            const CUtensorMap& values, prefill_memory<Dim>& shared) {
  const int warp = __shfl_sync(0xFFFFFFFF, static_cast<int>(threadIdx.x) / 32, 0);
  if (warp == 0) {
    page_copier<Dim> copier(in, keys, shared);
    each_item(in, [&](const prefill_item& item) { copier.run_keys(item); });
  } else if (warp == 1) {
    page_copier<Dim> copier(in, values, shared);
    each_item(in, [&](const prefill_item& item) { copier.run_values(item); });
  } else {
    query_copier<T, Dim> copier(in, shared, warp - 2);
    each_item(in, [&](const prefill_item& item) { copier.run(item); });
  }
}

template <class T, int Dim>
__global__ void __launch_bounds__(prefill_threads, 1)
    attend_prefill(const __grid_constant__ prefill_inputs in,
                   const __grid_constant__ CUtensorMap keys,
                   const __grid_constant__ CUtensorMap values) {
  if constexpr (ptx::has_hopper) {
    auto& shared = panel_memory<prefill_memory<Dim>>();
    if (threadIdx.x == 0) {
      ptx::prefetch_map(keys);
      ptx::prefetch_map(values);
      shared.make_barriers();
    }
    __syncthreads();
    ptx::wait_for_previous();
    ptx::allow_next();
    const int warpgroup =
        __shfl_sync(0xFFFFFFFF, static_cast<int>(threadIdx.x) / warpgroup_threads, 0);
    if (warpgroup == 0) {
      ptx::give_registers<bringing_registers>();
      bring_tiles<T, Dim>(in, keys, values, shared);
    } else {
      ptx::take_registers<computing_registers>();
      const int items = in.first_item[blockIdx.x + 1] - in.first_item[blockIdx.x];
      prefill_warpgroup<T, Dim> tiles(in, shared, warpgroup - 1);
      for (int i = 0; i < items; ++i) tiles.run();
    }
  } else {
    ptx::trap();
  }
}

/// The most rows that boxes can have of which blocks, and tiles, are made up.
std::int32_t box_rows_of(std::int32_t block_tokens) {
  return std::min(block_tokens & -block_tokens, prefill_keys);
}

} // namespace

bool prefill_attention::takes(const head_shape& heads, std::int32_t block_tokens, float softcap) {
  return (heads.head_dim == 64 || heads.head_dim == 128) && block_tokens > 0 &&
         block_tokens % 8 == 0 && !(softcap > 0.0F);
}

void prefill_attention::run(const matrix& out, const matrix& qkv, const head_shape& heads,
                            const kv_pages& pages, const batch_view& batch, float scale,
                            std::int32_t window, std::int32_t least_rows) {
  if (!takes(heads, pages.block_tokens, 0.0F))
    throw std::invalid_argument("cuda: prefill takes heads of 64 or 128 elements and blocks of a "
                                "multiple of 8 tokens");
  const auto plan = plans_.get(batch, heads, window, least_rows);
  if (plan.blocks == 0) return;
  const prefill_inputs in{
      .out = out.data,
      .qkv = qkv.data,
      .items = plan.items,
      .first_item = plan.first_item,
      .block_tables = batch.block_tables,
      .table_stride = batch.table_stride,
      .page_rows = static_cast<std::int32_t>(pages.keys.rows),
      .block_tokens = pages.block_tokens,
      .box_rows = box_rows_of(pages.block_tokens),
      .kv_heads = heads.kv_heads,
      .group = heads.heads / heads.kv_heads,
      .window = window,
      .factor = scale * std::numbers::log2e_v<float>,
  };
  const CUtensorMap& keys = maps_.of(pages.keys, in.box_rows);
  const CUtensorMap& values = maps_.of(pages.values, in.box_rows);
  with_type(out.type, [&]<class T>() {
    const auto start = [&]<int Dim>() {
      launch(stream_,
             {static_cast<unsigned>(plan.blocks), prefill_threads,
              panel_memory_bytes<prefill_memory<Dim>>},
             attend_prefill<T, Dim>, in, keys, values);
    };
    if (heads.head_dim == 64)
      start.template operator()<64>();
    else
      start.template operator()<128>();
  });
}

} // namespace troupe::cuda
