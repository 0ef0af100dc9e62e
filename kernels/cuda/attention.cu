// The kernels of attention and their launches. A block goes through its items one after the other;
// within one it brings the tile after next's addresses, the next tile's keys and values and
// computes with the present ones.
#include "kernels/cuda/attention.hpp"
#include "kernels/cuda/attention_tile.cuh"
#include "kernels/cuda/attention_work.cuh"
#include "kernels/launch_name.hpp"

#include <algorithm>

namespace troupe::cuda {

namespace {

constexpr int max_dim = 256;
/// Rows of parts for each multiprocessor.
constexpr int part_rows = 1024;
constexpr int blocks_per_multiprocessor = 2;

/// The dynamic shared memory of a block.
template <class T, int Dim>
struct attention_memory {
  static constexpr int keys = head_tile<Dim>::keys;
  static constexpr int stride = head_tile<Dim>::stride;
  T queries[tile_queries * stride];
  T key_rows[2][keys * stride];
  T value_rows[2][keys * stride];
  std::int32_t page_rows[2][keys]; ///< -1: none
};

template <class T, int Dim>
class attention_block {
 public:
  using shared_memory = attention_memory<T, Dim>;
  static constexpr int keys = shared_memory::keys;
  static constexpr int stride = shared_memory::stride;

  __device__ attention_block(const attention_inputs& in, const attention_scratch& scratch,
                             shared_memory& shared)
      : in_(in), scratch_(scratch), shared_(shared), thread_(static_cast<int>(threadIdx.x)),
        warp_query_(thread_ / 32 * 16) {
    // Elements behind a head's end, which no copy reaches, count as 0.
    if (in.head_dim == Dim) return;
    auto* const all = reinterpret_cast<uint4*>(&shared);
    for (int i = thread_; i < static_cast<int>(sizeof(shared_memory) / sizeof(uint4));
         i += tile_threads)
      all[i] = make_uint4(0, 0, 0, 0);
  }

  __device__ void run(const attention_item& item, const sequence_work& work) {
    if (item.begin >= item.end) return;
    load_queries(item, work);
    seen_positions seen[2];
    for (int i = 0; i < 2; ++i) {
      seen[i].last = work.position(in_, query_of(item, i));
      seen[i].first = work.first_seen(in_, seen[i].last);
    }
    const int begin = item.begin / keys * keys;
    note(look_up(item, begin), begin);
    __syncthreads();
    load_tile(item, begin);
    note(look_up(item, begin + keys), begin + keys);
    bool merging = false;
    warp_.reset();
    for (int start = begin; start < item.end; start += keys) {
      ptx::wait_copies<0>();
      __syncthreads();
      if (start + keys < item.end) load_tile(item, start + keys);
      // What is looked up arrives while the warp computes.
      const page_place after_next = look_up(item, start + 2 * keys);
      attend(item, work, seen, start);
      note(after_next, start + 2 * keys);
      const bool last = start + keys >= item.end;
      if (!last && (start + keys) % in_.split != 0) continue;
      warp_.add_up();
      if (merging) merge();
      if (last) break;
      put_aside();
      merging = true;
    }
    if (item.part < 0)
      store(item, work);
    else
      store_part(item, work);
  }

 private:
  /// The query, counted in its sequence, that this thread has in its rows i of the warp's.
  __device__ int query_of(const attention_item& item, int i) const {
    return item.tile * tile_queries + warp_query_ + thread_ % 32 / 4 + 8 * i;
  }

  /// Brings rows of a head into shared memory; `find` gives where one lies, null: zeros.
  template <int Rows, class Find>
  __device__ void copy_rows(T* to, const Find& find, const void* anything) {
    const int dim = in_.head_dim;
    if (dim % vector_size == 0) {
#pragma unroll
      for (int i = thread_; i < Rows * (Dim / vector_size); i += tile_threads) {
        const int row = i / (Dim / vector_size);
        const int column = i % (Dim / vector_size) * vector_size;
        if (column >= dim) continue;
        const T* const from = find(row);
        ptx::copy_async(to + row * stride + column, from == nullptr ? anything : from + column,
                        from != nullptr);
      }
      return;
    }
    for (int i = thread_; i < Rows * (Dim / 2); i += tile_threads) {
      const int row = i / (Dim / 2), column = i % (Dim / 2) * 2;
      if (column >= dim) continue;
      const T* const from = find(row);
      *reinterpret_cast<std::uint32_t*>(to + row * stride + column) =
          from == nullptr ? 0 : *reinterpret_cast<const std::uint32_t*>(from + column);
    }
  }

  /// Committed with the first tile.
  __device__ void load_queries(const attention_item& item, const sequence_work& work) {
    const std::int64_t cols = std::int64_t{in_.kv_heads} * (in_.group + 2) * in_.head_dim;
    const T* const head = static_cast<const T*>(in_.qkv) + work.first_row * cols +
                          item.kv_head * in_.group * in_.head_dim;
    const auto find = [&](int row) -> const T* {
      const int query = item.tile * tile_queries + row;
      if (query >= work.queries) return nullptr;
      return head + query / in_.group * cols + query % in_.group * in_.head_dim;
    };
    copy_rows<tile_queries>(shared_.queries, find, in_.qkv);
  }

  __device__ int buffer(int start) const { return start / keys % 2; }

  /// Where a position lies in the pages; block -1: nobody needs it.
  struct page_place {
    std::int32_t block;
    std::int32_t offset;
  };
  /// Of this thread's position of a tile.
  __device__ page_place look_up(const attention_item& item, int start) const {
    const int position = start + thread_;
    if (thread_ >= keys || position < item.begin || position >= item.end) return {-1, 0};
    return {item.table[position / in_.block_tokens], position % in_.block_tokens};
  }
  __device__ void note(const page_place& place, int start) {
    if (thread_ >= keys) return;
    shared_.page_rows[buffer(start)][thread_] =
        place.block < 0 ? -1 : place.block * in_.block_tokens + place.offset;
  }

  __device__ void load_tile(const attention_item& item, int start) {
    const std::int64_t cols = std::int64_t{in_.kv_heads} * in_.head_dim;
    const int head = item.kv_head * in_.head_dim;
    const std::int32_t* const rows = shared_.page_rows[buffer(start)];
    const auto find_in = [&](const void* pages) {
      return [rows, cols, first = static_cast<const T*>(pages) + head](int row) -> const T* {
        return rows[row] < 0 ? nullptr : first + rows[row] * cols;
      };
    };
    copy_rows<keys>(shared_.key_rows[buffer(start)], find_in(in_.keys), in_.keys);
    copy_rows<keys>(shared_.value_rows[buffer(start)], find_in(in_.values), in_.values);
    ptx::commit_copies();
  }

  /// Where a query of the warp sees something of the tile.
  __device__ void attend(const attention_item& item, const sequence_work& work,
                         const seen_positions (&seen)[2], int start) {
    const int first_query = item.tile * tile_queries + warp_query_;
    if (first_query >= work.queries) return;
    if (start > work.position(in_, first_query + 15)) return;
    if (start + keys <= work.first_seen(in_, work.position(in_, first_query))) return;
    warp_.attend(shared_.queries + warp_query_ * stride, shared_.key_rows[buffer(start)],
                 shared_.value_rows[buffer(start)], start, seen, in_.scores);
  }

  __device__ float4& set_aside(int n) const {
    return scratch_.totals[(static_cast<int>(blockIdx.x) * (Dim / 8) + n) * tile_threads + thread_];
  }

  /// Makes room for the next split.
  __device__ void put_aside() {
#pragma unroll
    for (int n = 0; n < Dim / 8; ++n)
      set_aside(n) =
          make_float4(warp_.sums[n][0], warp_.sums[n][1], warp_.sums[n][2], warp_.sums[n][3]);
    for (int i = 0; i < 2; ++i) {
      aside_best_[i] = warp_.best[i];
      aside_total_[i] = warp_.total[i];
    }
    warp_.reset();
  }

  /// Adds the split to what was put aside.
  __device__ void merge() {
    const merged both[2] = {{aside_best_[0], warp_.best[0]}, {aside_best_[1], warp_.best[1]}};
#pragma unroll
    for (int n = 0; n < Dim / 8; ++n) {
      if (n % 8 == 0) __syncwarp(); // there are no registers to load more than 8 ahead
      const float4 aside = set_aside(n);
      float(&sums)[4] = warp_.sums[n];
      sums[0] = both[0](aside.x, sums[0]);
      sums[1] = both[0](aside.y, sums[1]);
      sums[2] = both[1](aside.z, sums[2]);
      sums[3] = both[1](aside.w, sums[3]);
    }
    for (int i = 0; i < 2; ++i) {
      warp_.total[i] = both[i](aside_total_[i], warp_.total[i]);
      warp_.best[i] = both[i].best;
    }
  }

  __device__ void store(const attention_item& item, const sequence_work& work) const {
    const std::int64_t cols = std::int64_t{in_.kv_heads} * in_.group * in_.head_dim;
    for (int i = 0; i < 2; ++i) {
      const int query = query_of(item, i);
      if (query >= work.queries) continue;
      T* const to = static_cast<T*>(in_.out) + (work.first_row + query / in_.group) * cols +
                    (item.kv_head * in_.group + query % in_.group) * in_.head_dim;
      const float share = 1.0F / warp_.total[i];
#pragma unroll
      for (int n = 0; n < Dim / 8; ++n) {
        const int column = n * 8 + thread_ % 4 * 2;
        if (column < in_.head_dim)
          *reinterpret_cast<std::uint32_t*>(to + column) =
              T::pack(warp_.sums[n][2 * i] * share, warp_.sums[n][2 * i + 1] * share);
      }
    }
  }

  __device__ void store_part(const attention_item& item, const sequence_work& work) const {
    for (int i = 0; i < 2; ++i) {
      if (query_of(item, i) >= work.queries) continue;
      const std::int64_t row = std::int64_t{item.part} + warp_query_ + thread_ % 32 / 4 + 8 * i;
      if (thread_ % 4 == 0) scratch_.part_sums[row] = make_float2(warp_.best[i], warp_.total[i]);
#pragma unroll
      for (int n = 0; n < Dim / 8; ++n)
        *reinterpret_cast<float2*>(scratch_.parts + row * Dim + n * 8 + thread_ % 4 * 2) =
            make_float2(warp_.sums[n][2 * i], warp_.sums[n][2 * i + 1]);
    }
  }

  const attention_inputs& in_;
  const attention_scratch& scratch_;
  shared_memory& shared_;
  const int thread_;
  const int warp_query_; // the warp's first query of the tile
  warp_attention<T, Dim> warp_;
  float aside_best_[2];
  float aside_total_[2];
};

template <class T, int Dim>
__global__ void __launch_bounds__(tile_threads, Dim > 128 ? 1 : 2)
    attend(const __grid_constant__ attention_inputs in,
           const __grid_constant__ attention_scratch scratch) {
  __shared__ attention_plan plan;
  attention_block<T, Dim> block(in, scratch, *ptx::dynamic_shared<attention_memory<T, Dim>>());
  ptx::wait_for_previous();
  ptx::allow_next();
  plan.make(in, scratch);
  for (int item = static_cast<int>(blockIdx.x); item < plan.items();
       item += static_cast<int>(gridDim.x)) {
    const sequence_place place = plan.find(in, item);
    const sequence_work work(in, place.sequence);
    block.run(attention_item(in, plan.walk(), item, place, work), work);
  }
}

/// Merges the parts that were left, a warp for each row and head.
template <class T>
__global__ void merge_parts(const __grid_constant__ attention_inputs in,
                            const __grid_constant__ attention_scratch scratch) {
  ptx::wait_for_previous();
  ptx::allow_next();
  const attention_cut cut = *scratch.cut;
  if (cut.rows == 0) return;
  const int heads = in.kv_heads * in.group;
  const int lane = static_cast<int>(threadIdx.x % 32);
  const std::int64_t warps = std::int64_t{gridDim.x} * (blockDim.x / 32);
  for (std::int64_t i = (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / 32;
       i < std::int64_t{in.batch.tokens} * heads; i += warps) {
    const int token = static_cast<int>(i / heads), head = static_cast<int>(i % heads);
    const int s = in.batch.sequence_of[token];
    const sequence_work work(in, s);
    if (work.queries == 0) continue;
    const int query = (token - work.first_row) * in.group + head % in.group;
    const int tile = query / tile_queries;
    const int splits = work.splits_of(in, tile).count;
    if (splits == 1 || work.pieces(in, cut.walk) == 1) continue;
    const std::int64_t first_row = scratch.first_row[s] + query % tile_queries;
    float best = lowest, total = 0.0F;
    float sums[max_dim / 64][2] = {};
#pragma unroll 4
    for (int piece = 0; piece < splits; ++piece) {
      const std::int64_t row =
          first_row + work.part_row(in, cut.walk, tile, piece, head / in.group);
      const float2 part = scratch.part_sums[row];
      const merged both(best, part.x);
      best = both.best;
      total = both(total, part.y);
#pragma unroll
      for (int n = 0; n < max_dim / 64; ++n) {
        const int column = n * 64 + lane * 2;
        if (column >= scratch.dim) continue;
        const float2 values =
            *reinterpret_cast<const float2*>(scratch.parts + row * scratch.dim + column);
        sums[n][0] = both(sums[n][0], values.x);
        sums[n][1] = both(sums[n][1], values.y);
      }
    }
    const float share = 1.0F / total;
    T* const to = static_cast<T*>(in.out) + i * in.head_dim;
#pragma unroll
    for (int n = 0; n < max_dim / 64; ++n) {
      const int column = n * 64 + lane * 2;
      if (column < in.head_dim)
        *reinterpret_cast<std::uint32_t*>(to + column) =
            T::pack(sums[n][0] * share, sums[n][1] * share);
    }
  }
}

/// The size of head whose kernel computes heads of head_dim elements.
std::int32_t padded(std::int32_t head_dim) {
  for (const std::int32_t dim : {64, 96, 128, max_dim})
    if (head_dim <= dim) return dim;
  throw std::invalid_argument("cuda: a head has at most 256 elements");
}

/// Calls work.operator()<Dim>() with the size of head.
template <class Work>
void with_dim(std::int32_t dim, const Work& work) {
  switch (dim) {
  case 64:
    return work.template operator()<64>();
  case 96:
    return work.template operator()<96>();
  case 128:
    return work.template operator()<128>();
  default:
    return work.template operator()<max_dim>();
  }
}

} // namespace

paged_attention::paged_attention(std::int32_t multiprocessors, std::int32_t split)
    : multiprocessors_(multiprocessors), split_(split) {
  if (multiprocessors < 1 || split < tile_queries || split % tile_queries != 0)
    throw std::invalid_argument("cuda: attention splits are multiples of 64 positions");
}

void paged_attention::reserve(std::int32_t head_dim, std::int32_t sequences) {
  const std::int32_t dim = std::max(padded(head_dim), head_dim_);
  if (dim > head_dim_) {
    const auto blocks = static_cast<std::size_t>(blocks_per_multiprocessor * multiprocessors_);
    const auto rows = static_cast<std::size_t>(part_rows * multiprocessors_);
    const auto row = static_cast<std::size_t>(dim) * sizeof(float);
    totals_ = allocate_device(blocks * tile_queries * row);
    parts_ = allocate_device(rows * (row + sizeof(float2)));
    head_dim_ = dim;
  }
  if (sequences > sequences_) {
    const auto count = static_cast<std::size_t>(std::max(sequences, 2 * sequences_));
    cut_ = allocate_device(sizeof(attention_cut) + count * sizeof(std::int32_t));
    sequences_ = static_cast<std::int32_t>(count);
  }
}

std::uint64_t paged_attention::launches() const {
  launch_name name;
  return name.add(cut_.get()).add(totals_.get()).add(parts_.get()).value;
}

void paged_attention::run(cudaStream_t stream, const matrix& out, const matrix& qkv,
                          const head_shape& heads, const kv_pages& pages, const batch_view& batch,
                          float scale, std::int32_t window, float softcap,
                          std::int32_t least_rows) {
  if (heads.head_dim % 2 != 0) throw std::invalid_argument("cuda: a head's size is even");
  if (batch.tokens == 0) return;
  reserve(heads.head_dim, batch.sequences);
  const attention_inputs in{
      .out = out.data,
      .qkv = qkv.data,
      .keys = pages.keys.data,
      .values = pages.values.data,
      .batch = batch,
      .block_tokens = pages.block_tokens,
      .kv_heads = heads.kv_heads,
      .group = heads.heads / heads.kv_heads,
      .head_dim = heads.head_dim,
      .window = window,
      .split = split_,
      .least_rows = least_rows,
      .scores = score_scale(scale, softcap),
  };
  const std::int32_t dim = padded(heads.head_dim);
  const std::int32_t rows = part_rows * multiprocessors_;
  auto* const part_sums = reinterpret_cast<float2*>(parts_.get());
  const attention_scratch scratch{
      .cut = reinterpret_cast<attention_cut*>(cut_.get()),
      .first_row = reinterpret_cast<std::int32_t*>(cut_.get() + sizeof(attention_cut)),
      .totals = reinterpret_cast<float4*>(totals_.get()),
      .parts = reinterpret_cast<float*>(part_sums + rows),
      .part_sums = part_sums,
      .dim = dim,
      .rows = rows,
  };
  with_type(out.type, [&]<class T>() {
    with_dim(dim, [&]<int Dim>() {
      launch(stream,
             {static_cast<unsigned>(blocks_per_multiprocessor * multiprocessors_), tile_threads,
              sizeof(attention_memory<T, Dim>)},
             attend<T, Dim>, in, scratch);
    });
    const std::int64_t most = pieces(std::int64_t{batch.tokens} * heads.heads, 4);
    launch(stream, {static_cast<unsigned>(std::min<std::int64_t>(most, 8 * multiprocessors_)), 128},
           merge_parts<T>, in, scratch);
  });
}

} // namespace troupe::cuda
