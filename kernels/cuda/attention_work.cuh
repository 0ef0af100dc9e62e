// How attention is cut into items of work, on the device: a sequence's queries (rows times the
// heads of a group) into tiles, and the splits of positions that a tile sees into pieces. A piece
// is one split, or all of them: sums are merged split by split from the first on, in whatever
// batch, since another order would round otherwise. Sequences with at most `walk` splits, about
// what every block has to do, are walked through by one block; longer ones are cut, as far as there
// is memory for the parts that their pieces leave for merging.
#pragma once

#include "kernels/cuda/attention_tile.cuh"
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
  std::int32_t window;     // 0: none
  std::int32_t split;      // positions of a split
  std::int32_t least_rows; // of a sequence; those with fewer are left alone
  score_scale scores;
};

/// What merging is told of how the work was cut.
struct attention_cut {
  std::int32_t walk; ///< most splits of a sequence that is not cut
  std::int32_t rows; ///< of parts that are left for merging
};

/// Memory that the kernels of a call share.
struct attention_scratch {
  attention_cut* cut;
  std::int32_t* first_row; // [sequences], of parts
  float4* totals;          // [blocks, dim / 8, tile_threads], each thread's own
  float* parts;            // [rows, dim]
  float2* part_sums;       // [rows]: highest score and sum of weights
  std::int32_t dim;        // head_dim, padded
  std::int32_t rows;       // of parts, at most
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
        queries(queries_of(in, in.batch.first_row[s + 1] - first_row)),
        first_position(queries > 0 ? in.batch.positions[first_row] : 0) {}

  __device__ static int queries_of(const attention_inputs& in, int rows) {
    return rows >= in.least_rows ? rows * in.group : 0;
  }
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
  __device__ int pieces(const attention_inputs& in, int walk) const {
    const int most = most_splits(in);
    return most > walk ? most : min(most, 1);
  }
  __device__ int items(const attention_inputs& in, int walk) const {
    return tiles() * in.kv_heads * pieces(in, walk);
  }
  /// Rows of the parts that all its pieces leave.
  __device__ std::int64_t part_rows(const attention_inputs& in, int walk) const {
    const int count = pieces(in, walk);
    return count > 1 ? std::int64_t{queries} * in.kv_heads * count : 0;
  }
  /// Where among them the part of a piece begins.
  __device__ std::int64_t part_row(const attention_inputs& in, int walk, int tile, int piece,
                                   int kv_head) const {
    const int first = tile * tile_queries;
    return std::int64_t{first} * in.kv_heads * pieces(in, walk) +
           std::int64_t{piece * in.kv_heads + kv_head} * min(tile_queries, queries - first);
  }
};

/// What a value sums up to over the block's threads, before this one and over all.
struct block_sums {
  std::int64_t before;
  std::int64_t all;
};

__device__ inline block_sums sums_over_block(std::int64_t value) {
  __shared__ std::int64_t of_warps[tile_threads / 32];
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
  for (int w = 0; w < tile_threads / 32; ++w) {
    if (w < warp) out.before += of_warps[w];
    out.all += of_warps[w];
  }
  __syncthreads();
  return out;
}

/// Where a sequence's items and the rows of its parts begin.
struct sequence_place {
  int sequence;
  int first_item;
  int first_row;
};

/// How the work is cut, found out by each block for itself: that takes less time than a kernel. A
/// thread looks after some adjacent sequences. In shared memory; all threads call all of it.
class attention_plan {
 public:
  __device__ void make(const attention_inputs& in, const attention_scratch& scratch) {
    const int thread = static_cast<int>(threadIdx.x);
    std::int64_t splits = 0;
    each_sequence(in, [&](int, const sequence_work& work) {
      splits += std::int64_t{work.tiles()} * in.kv_heads * work.most_splits(in);
      return true;
    });
    splits = sums_over_block(splits).all;
    const int fair = static_cast<int>((splits + gridDim.x - 1) / gridDim.x);
    int walk = max(fair, 1);
    block_sums all_rows = rows_of_parts(in, walk);
    for (; all_rows.all > scratch.rows; all_rows = rows_of_parts(in, walk)) walk *= 2;
    int items = 0;
    each_sequence(in, [&](int, const sequence_work& work) {
      items += work.items(in, walk);
      return true;
    });
    const block_sums all_items = sums_over_block(items);
    first_item_[thread] = static_cast<int>(all_items.before);
    first_row_[thread] = static_cast<int>(all_rows.before);
    if (thread == 0) {
      walk_ = walk;
      first_item_[tile_threads] = static_cast<int>(all_items.all);
    }
    __syncthreads();
    if (blockIdx.x != 0) return;
    if (thread == 0) *scratch.cut = {walk, static_cast<int>(all_rows.all)};
    each_place(in, [&](const sequence_place& place, int) {
      scratch.first_row[place.sequence] = place.first_row;
      return true;
    });
  }

  __device__ int walk() const { return walk_; }
  __device__ int items() const { return first_item_[tile_threads]; }

  /// The sequence that an item belongs to.
  __device__ sequence_place find(const attention_inputs& in, int item) {
    const int thread = static_cast<int>(threadIdx.x);
    __syncthreads(); // all have read the last one
    if (first_item_[thread] <= item && item < first_item_[thread + 1])
      each_place(in, [&](const sequence_place& place, int items) {
        found_ = place;
        return item >= place.first_item + items;
      });
    __syncthreads();
    return found_;
  }

 private:
  __device__ static block_sums rows_of_parts(const attention_inputs& in, int walk) {
    std::int64_t rows = 0;
    each_sequence(in, [&](int, const sequence_work& work) {
      rows += work.part_rows(in, walk);
      return true;
    });
    return sums_over_block(rows);
  }
  /// Calls f(sequence, work) with this thread's sequences until it is false.
  template <class F>
  __device__ static void each_sequence(const attention_inputs& in, const F& f) {
    const int each = (in.batch.sequences + tile_threads - 1) / tile_threads;
    const int first = static_cast<int>(threadIdx.x) * each;
    for (int s = first; s < min(first + each, in.batch.sequences); ++s)
      if (!f(s, sequence_work(in, s))) return;
  }
  /// Calls f(place, items).
  template <class F>
  __device__ void each_place(const attention_inputs& in, const F& f) const {
    sequence_place place{0, first_item_[threadIdx.x], first_row_[threadIdx.x]};
    each_sequence(in, [&](int s, const sequence_work& work) {
      place.sequence = s;
      const int items = work.items(in, walk_);
      const bool more = f(place, items);
      place.first_item += items;
      place.first_row += static_cast<int>(work.part_rows(in, walk_));
      return more;
    });
  }

  int walk_;
  int first_item_[tile_threads + 1];
  int first_row_[tile_threads];
  sequence_place found_;
};

/// One item: a tile of queries of one key head over adjacent splits. A sequence's last tiles, which
/// see most, come first.
struct attention_item {
  const std::int32_t* table; ///< the sequence's blocks
  int tile;
  int kv_head;
  int begin; ///< positions [begin, end); none where begin >= end
  int end;
  int part; ///< row of parts from which on to leave the result; -1: it is whole

  __device__ attention_item(const attention_inputs& in, int walk, int item,
                            const sequence_place& place, const sequence_work& work)
      : table(in.batch.block_tables +
              std::int64_t{in.batch.table_of[work.first_row]} * in.batch.table_stride) {
    const int local = item - place.first_item;
    const int pieces = work.pieces(in, walk);
    const int piece = local / in.kv_heads % pieces;
    kv_head = local % in.kv_heads;
    tile = work.tiles() - 1 - local / in.kv_heads / pieces;
    const split_range seen = work.splits_of(in, tile);
    const int first = seen.first + piece;
    const int last = pieces > 1 ? min(first + 1, seen.first + seen.count) : first + seen.count;
    const int first_query = tile * tile_queries;
    begin = max(first * in.split, work.first_seen(in, work.position(in, first_query)));
    end = min(last * in.split, work.position(in, first_query + tile_queries - 1) + 1);
    part = pieces > 1 && seen.count > 1
               ? place.first_row + static_cast<int>(work.part_row(in, walk, tile, piece, kv_head))
               : -1;
  }
};

} // namespace troupe::cuda
