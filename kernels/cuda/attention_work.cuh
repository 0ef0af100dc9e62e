// How attention is cut into items of work, on the device: a sequence's queries (rows times the
// heads of a group) into tiles, the splits of positions that a tile sees into pieces. All pieces
// have the same number of splits, `span`: so many that there are about as many items as keep the
// device busy, which also bounds the parts that pieces leave for merging.
#pragma once

#include "kernels/cuda/launch.cuh"

namespace troupe::cuda {

/// Queries of a tile, and the threads of its block: 16 queries a warp.
constexpr int tile_queries = 64;
constexpr int tile_threads = 2 * tile_queries;

/// Everything that the kernels of a call are told.
struct attention_inputs {
  void* out;          // [tokens, kv_heads * group * head_dim]
  const void* qkv;    // [tokens, kv_heads * (group + 2) * head_dim]
  const void* keys;   // [., kv_heads * head_dim]
  const void* values; // the same
  batch_view batch;
  std::int32_t block_tokens;
  std::int32_t kv_heads;
  std::int32_t group; // query heads of a key head
  std::int32_t head_dim;
  std::int32_t window; // 0: none
  std::int32_t split;  // positions of a split
  float softcap_scale; // where > 0: scores become tanh(score * softcap_scale)
  float factor;        // what brings scores to powers of two
};

struct attention_plan {
  std::int32_t span = 0;  ///< splits of a piece
  std::int32_t items = 0; ///< of all sequences
  std::int32_t parts = 0; ///< that are left for merging
};

/// Memory that the kernels of a call share. Of n sequences, `sequences` holds for each its first
/// item and its first part, and the number of items at the end: [2 * n + 1].
struct attention_scratch {
  attention_plan* plan;
  std::int32_t* sequences;
  float4* totals;    // [blocks, dim / 8, tile_threads], each thread's own
  float* parts;      // [parts, tile_queries, dim]
  float2* part_sums; // [parts, tile_queries]: highest score and sum of weights
  std::int32_t dim;  // head_dim, padded

  __device__ std::int32_t& first_item(int s) const { return sequences[2 * s]; }
  __device__ std::int32_t& first_part(int s) const { return sequences[2 * s + 1]; }
};

/// The splits that a tile sees.
struct split_range {
  std::int32_t first;
  std::int32_t count;
};

/// One sequence of the batch.
struct sequence_work {
  std::int32_t first_row;
  std::int32_t queries;
  std::int32_t first_position;

  __device__ sequence_work(const attention_inputs& in, int s)
      : first_row(in.batch.first_row[s]),
        queries((in.batch.first_row[s + 1] - first_row) * in.group),
        first_position(queries > 0 ? in.batch.positions[first_row] : 0) {}

  __device__ int tiles() const { return (queries + tile_queries - 1) / tile_queries; }
  __device__ int position(const attention_inputs& in, int query) const {
    return first_position + min(query, queries - 1) / in.group;
  }
  /// The first position that a query at `position` sees.
  __device__ static int first_seen(const attention_inputs& in, int position) {
    return in.window > 0 ? max(0, position - in.window + 1) : 0;
  }
  __device__ split_range splits(const attention_inputs& in, int first_query, int last_query) const {
    const int first = first_seen(in, position(in, first_query)) / in.split;
    return {first, position(in, last_query) / in.split - first + 1};
  }
  __device__ split_range splits_of(const attention_inputs& in, int tile) const {
    return splits(in, tile * tile_queries, (tile + 1) * tile_queries - 1);
  }
  /// No tile of the sequence sees more splits.
  __device__ int most_splits(const attention_inputs& in) const {
    if (queries == 0) return 0;
    const int all = splits(in, 0, queries - 1).count;
    if (in.window == 0) return all;
    const int seen = min(in.window, 1 << 29) + (tile_queries - 1) / in.group + 1;
    return min(all, (seen + in.split - 2) / in.split + 1);
  }
  __device__ int pieces(const attention_inputs& in, int span) const {
    return (most_splits(in) + span - 1) / span;
  }
};

/// What a value sums up to over the block's threads, before this one and over all.
struct block_sums {
  std::int64_t before;
  std::int64_t all;
};

constexpr int plan_threads = 256;

__device__ inline block_sums sums_over_block(std::int64_t value) {
  __shared__ std::int64_t of_warps[plan_threads / 32];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  std::int64_t sum = value;
#pragma unroll
  for (int by = 1; by < 32; by *= 2) {
    const std::int64_t below = __shfl_up_sync(0xFFFFFFFF, sum, by);
    if (lane >= by) sum += below;
  }
  if (lane == 31) of_warps[warp] = sum;
  __syncthreads();
  block_sums out{sum - value, 0};
  for (int w = 0; w < plan_threads / 32; ++w) {
    if (w < warp) out.before += of_warps[w];
    out.all += of_warps[w];
  }
  __syncthreads();
  return out;
}

/// Cuts the work into about `wanted` items, and leaves at most 2 * wanted parts. One block.
__global__ void plan_attention(const attention_inputs in, const attention_scratch scratch,
                               int wanted) {
  ptx::wait_for_previous();
  ptx::allow_next();
  const int sequences = in.batch.sequences;
  std::int64_t splits = 0;
  for (int first = 0; first < sequences; first += plan_threads) {
    const int s = first + static_cast<int>(threadIdx.x);
    std::int64_t own = 0;
    if (s < sequences) {
      const sequence_work work(in, s);
      own = std::int64_t{work.tiles()} * in.kv_heads * work.most_splits(in);
    }
    splits += sums_over_block(own).all;
  }
  attention_plan plan;
  plan.span = static_cast<int>(max((splits + wanted - 1) / wanted, std::int64_t{1}));
  for (int first = 0; first < sequences; first += plan_threads) {
    const int s = first + static_cast<int>(threadIdx.x);
    int items = 0, parts = 0;
    if (s < sequences) {
      const sequence_work work(in, s);
      const int pieces = work.pieces(in, plan.span);
      items = work.tiles() * in.kv_heads * pieces;
      parts = pieces > 1 ? items : 0;
    }
    const block_sums all_items = sums_over_block(items), all_parts = sums_over_block(parts);
    if (s < sequences) {
      scratch.first_item(s) = plan.items + static_cast<int>(all_items.before);
      scratch.first_part(s) = plan.parts + static_cast<int>(all_parts.before);
    }
    plan.items += static_cast<int>(all_items.all);
    plan.parts += static_cast<int>(all_parts.all);
  }
  if (threadIdx.x != 0) return;
  scratch.first_item(sequences) = plan.items;
  *scratch.plan = plan;
}

/// The part of a tile's piece, for the heads of one key head.
__device__ inline std::int32_t part_of(const attention_inputs& in, const attention_scratch& scratch,
                                       int s, const sequence_work& work, int tile, int piece,
                                       int span, int kv_head) {
  const int place = (work.tiles() - 1 - tile) * work.pieces(in, span) + piece;
  return scratch.first_part(s) + place * in.kv_heads + kv_head;
}

/// One item: a tile of queries of one key head over adjacent splits. A sequence's last tiles, which
/// see most, come first.
struct attention_item {
  int sequence;
  int tile;
  int kv_head;
  int begin; ///< positions [begin, end); none where begin >= end
  int end;
  int part; ///< where to leave the result; -1: it is whole

  __device__ attention_item(const attention_inputs& in, const attention_scratch& scratch,
                            const attention_plan& plan, int item, int s, const sequence_work& work)
      : sequence(s) {
    const int local = item - scratch.first_item(s);
    const int pieces = work.pieces(in, plan.span);
    const int piece = local / in.kv_heads % pieces;
    kv_head = local % in.kv_heads;
    tile = work.tiles() - 1 - local / in.kv_heads / pieces;
    const split_range seen = work.splits_of(in, tile);
    const int first = seen.first + piece * plan.span;
    const int last = min(first + plan.span, seen.first + seen.count); // not included
    const int first_query = tile * tile_queries;
    begin = max(first * in.split, work.first_seen(in, work.position(in, first_query)));
    end = min(last * in.split, work.position(in, first_query + tile_queries - 1) + 1);
    part = seen.count > plan.span ? part_of(in, scratch, s, work, tile, piece, plan.span, kv_head)
                                  : -1;
  }
};

/// The sequence that an item belongs to; all threads of the block look for it together.
__device__ inline int find_sequence(const attention_inputs& in, const attention_scratch& scratch,
                                    int item) {
  __shared__ int found;
  __syncthreads(); // all have read the last one
  for (int s = static_cast<int>(threadIdx.x); s < in.batch.sequences;
       s += static_cast<int>(blockDim.x))
    if (scratch.first_item(s) <= item && item < scratch.first_item(s + 1)) found = s;
  __syncthreads();
  return found;
}

} // namespace troupe::cuda
