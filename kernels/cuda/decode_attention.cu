// The kernel of decode_attention and its launch.
#include "kernels/cuda/attention_tile.cuh"
#include "kernels/cuda/decode_attention.hpp"
#include "kernels/cuda/launch.cuh"
#include "kernels/launch_name.hpp"

#include <algorithm>

namespace troupe::cuda {

namespace {

constexpr int warps = 4;
constexpr int threads = 32 * warps;
constexpr int tile = 16; // positions that a warp takes at once
constexpr int blocks_per_multiprocessor = 3;
constexpr std::int32_t most_dim = 128;
constexpr std::int32_t most_kv_heads = 256;

static_assert(decode_step == warps * tile);

struct decode_inputs {
  void* out;                        // [tokens, kv_heads * group * head_dim]
  const void* qkv;                  // [tokens, kv_heads * (group + 2) * head_dim]
  const void* keys;                 // [., kv_heads * head_dim]
  const void* values;               // the same
  const decode_piece* pieces;       // a list begins with that of its number
  const std::int32_t* block_tables; // [., table_stride]
  std::int32_t table_stride;
  std::int32_t block_tokens;
  std::int32_t kv_heads;
  std::int32_t group;
  std::int32_t window; // 0: none
  score_scale scores;
  unsigned* counters; // [parts, kv_heads], that of a merge where its first part is
  float2* part_sums;  // [parts, kv_heads, decode_queries]: highest score and sum of weights
  float* parts;       // [parts, kv_heads, decode_queries, head_dim]
};

/// The dynamic shared memory of a block.
template <class T, int Dim, int Stages>
struct decode_memory {
  static constexpr int stride = head_tile<Dim>::stride;
  struct stage {
    T keys[tile * stride];
    T values[tile * stride];
  };
  static constexpr int stages = Stages;
  static constexpr int sum_stride = Dim + 8;
  /// What the warps have in the end, in the place of their copies.
  struct results {
    float sums[warps][decode_queries][sum_stride];
    float2 of_rows[warps][decode_queries]; ///< highest score and sum of weights
  };
  union {
    stage copies[warps][stages];
    results done;
  };
  T queries[decode_queries * stride];
};

/// Two adjacent numbers of a row, and what they were weighted under.
struct partial {
  float2 row; ///< highest score and sum of weights
  float2 values;
};

/// Adds up partials 0 .. count - 1 in their order.
template <class Source>
__device__ partial merge_in_order(int count, const Source& source) {
  partial sum = source(0);
  for (int i = 1; i < count; ++i) {
    const partial next = source(i);
    const merged both(sum.row.x, next.row.x);
    sum.row = make_float2(both.best, both(sum.row.y, next.row.y));
    sum.values = make_float2(both(sum.values.x, next.values.x), both(sum.values.y, next.values.y));
  }
  return sum;
}

template <class T, int Dim, int Stages>
class decode_block {
 public:
  using shared_memory = decode_memory<T, Dim, Stages>;
  static constexpr int stride = shared_memory::stride;
  static constexpr int stages = shared_memory::stages;

  /// The block that holds the first positions of a warp in a piece: what its copies wait for.
  __device__ static int first_block(const decode_inputs& in, const decode_piece& piece) {
    const int first = first_of_warp(piece);
    return first < piece.end ? table_of(in, piece)[first / in.block_tokens] : 0;
  }

  __device__ decode_block(const decode_inputs& in, const decode_piece& piece, shared_memory& shared,
                          int first_block)
      : in_(in), piece_(piece), shared_(shared), head_(static_cast<int>(blockIdx.x) % in.kv_heads),
        thread_(static_cast<int>(threadIdx.x)), lane_(thread_ % 32), warp_(thread_ / 32),
        first_(first_of_warp(piece)),
        tiles_(max(0, (piece.end - first_ + decode_step - 1) / decode_step)),
        table_(table_of(in, piece)), next_block_(first_block) {}

  /// `before_end` is called when nothing more has to be asked for.
  template <class F>
  __device__ void run(const F& before_end) {
    // What earlier steps left in the pages is there already; this step's rows are behind the wait.
    const int old = max(0, (piece_.first_position - first_ + decode_step - tile) / decode_step);
    const int early = min(stages, old);
    for (int i = 0; i < early; ++i) load(i);
    ptx::wait_for_previous();
    ptx::allow_next();
    for (int i = early; i < stages; ++i) load(i);
    bring_queries();
    const seen_positions seen[2] = {seen_by(0), seen_by(1)};
    attention_.reset();
    __syncthreads();
    // A stage is filled again as soon as it was read: all others are on their way while the warp
    // waits for the next.
    for (int i = 0; i < tiles_; ++i) {
      ptx::wait_copies<stages - 1>();
      __syncwarp();
      auto& copy = shared_.copies[warp_][i % stages];
      attention_.attend(shared_.queries, copy.keys, copy.values, first_ + i * decode_step, seen,
                        in_.scores);
      __syncwarp();
      load(i + stages);
    }
    before_end();
    attention_.add_up();
    ptx::wait_copies<0>();
    __syncthreads();
    leave_results();
    __syncthreads();
    each_pair([&](int query, int column) { finish(query, column, sum_of_warps(query, column)); });
    if (piece_.parts > 1 && is_last()) merge();
  }

 private:
  __device__ static int first_of_warp(const decode_piece& piece) {
    return piece.begin / tile * tile + static_cast<int>(threadIdx.x) / 32 * tile;
  }
  __device__ static const std::int32_t* table_of(const decode_inputs& in,
                                                 const decode_piece& piece) {
    return in.block_tables + std::int64_t{piece.table} * in.table_stride;
  }

  __device__ int queries() const {
    return min(decode_queries, piece_.queries - piece_.first_query);
  }

  __device__ seen_positions seen_by(int i) const {
    const int query = min(piece_.first_query + lane_ / 4 + 8 * i, piece_.queries - 1);
    const int last = piece_.first_position + query / in_.group;
    return {in_.window > 0 ? max(0, last - in_.window + 1) : 0, min(last, piece_.end - 1)};
  }

  /// The block that holds the warp's tile i, of which nothing is read where it is beyond the end.
  __device__ int block_of(int i) const {
    return i < tiles_ ? table_[(first_ + i * decode_step) / in_.block_tokens] : 0;
  }

  /// Brings tiles in their order; beyond the last there is nothing to bring, but to count.
  __device__ void load(int i) {
    if (i < tiles_) {
      const int start = first_ + i * decode_step;
      const std::int64_t cols = std::int64_t{in_.kv_heads} * Dim;
      const std::int64_t at =
          (std::int64_t{next_block_} * in_.block_tokens + start % in_.block_tokens) * cols +
          head_ * Dim;
      next_block_ = block_of(i + 1);
      auto& copy = shared_.copies[warp_][i % stages];
      constexpr int lanes = Dim / vector_size; // for a row
#pragma unroll
      for (int pass = 0; pass < tile * lanes / 32; ++pass) {
        const int row = (pass * 32 + lane_) / lanes, column = lane_ % lanes * vector_size;
        const bool valid = start + row >= piece_.begin && start + row < piece_.end;
        const std::int64_t from = at + row * cols + column;
        const int to = row * stride + column;
        ptx::copy_async(copy.keys + to, static_cast<const T*>(in_.keys) + from, valid);
        ptx::copy_async(copy.values + to, static_cast<const T*>(in_.values) + from, valid);
      }
    }
    ptx::commit_copies();
  }

  __device__ void bring_queries() {
    constexpr int lanes = Dim / vector_size, pieces = decode_queries * lanes / threads;
    static_assert(decode_queries * lanes % threads == 0);
    const std::int64_t cols = std::int64_t{in_.kv_heads} * (in_.group + 2) * Dim;
    const T* const head =
        static_cast<const T*>(in_.qkv) + piece_.first_row * cols + head_ * in_.group * Dim;
    uint4 mine[pieces];
#pragma unroll
    for (int i = 0; i < pieces; ++i) {
      const int row = (i * threads + thread_) / lanes, query = piece_.first_query + row;
      const T* const from =
          head + query / in_.group * cols + query % in_.group * Dim + thread_ % lanes * vector_size;
      mine[i] = row < queries() ? *reinterpret_cast<const uint4*>(from) : make_uint4(0, 0, 0, 0);
    }
#pragma unroll
    for (int i = 0; i < pieces; ++i)
      *reinterpret_cast<uint4*>(shared_.queries + (i * threads + thread_) / lanes * stride +
                                thread_ % lanes * vector_size) = mine[i];
  }

  __device__ void leave_results() {
    auto& done = shared_.done;
    for (int i = 0; i < 2; ++i) {
      const int row = lane_ / 4 + 8 * i;
      if (row >= queries()) continue;
      if (lane_ % 4 == 0)
        done.of_rows[warp_][row] = make_float2(attention_.best[i], attention_.total[i]);
#pragma unroll
      for (int n = 0; n < Dim / 8; ++n)
        *reinterpret_cast<float2*>(&done.sums[warp_][row][n * 8 + lane_ % 4 * 2]) =
            make_float2(attention_.sums[n][2 * i], attention_.sums[n][2 * i + 1]);
    }
  }

  __device__ partial sum_of_warps(int query, int column) const {
    const auto& done = shared_.done;
    return merge_in_order(warps, [&](int warp) {
      return partial{done.of_rows[warp][query],
                     *reinterpret_cast<const float2*>(&done.sums[warp][query][column])};
    });
  }

  /// Calls f(query, column) for two adjacent numbers at a time of each query that there is.
  template <class F>
  __device__ void each_pair(const F& f) const {
    for (int i = thread_; i < queries() * (Dim / 2); i += threads)
      f(i / (Dim / 2), i % (Dim / 2) * 2);
  }

  __device__ std::int64_t part_row(int part, int query) const {
    return (std::int64_t{piece_.first_part + part} * in_.kv_heads + head_) * decode_queries + query;
  }

  __device__ void finish(int query, int column, const partial& sum) const {
    if (piece_.parts == 1) return store(query, column, sum);
    const std::int64_t row = part_row(piece_.part, query);
    if (column == 0) in_.part_sums[row] = sum.row;
    *reinterpret_cast<float2*>(in_.parts + row * Dim + column) = sum.values;
  }

  __device__ void store(int query, int column, const partial& sum) const {
    const int of_sequence = piece_.first_query + query;
    const std::int64_t cols = std::int64_t{in_.kv_heads} * in_.group * Dim;
    T* const to = static_cast<T*>(in_.out) + (piece_.first_row + of_sequence / in_.group) * cols +
                  (head_ * in_.group + of_sequence % in_.group) * Dim + column;
    const float share = 1.0F / sum.row.y;
    *reinterpret_cast<std::uint32_t*>(to) = T::pack(sum.values.x * share, sum.values.y * share);
  }

  /// All other parts have been left.
  __device__ bool is_last() const {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (thread_ == 0) {
      unsigned& count = in_.counters[piece_.first_part * in_.kv_heads + head_];
      last = atomicAdd(&count, 1U) + 1 == static_cast<unsigned>(piece_.parts);
      if (last) count = 0;
    }
    __syncthreads();
    return last;
  }

  /// A warp for each query; a lane has some adjacent numbers of all parts, which it can ask for
  /// ahead, since what they are weighted by is known first.
  __device__ void merge() const {
    __threadfence();
    constexpr int pairs = Dim / 64;
    for (int query = warp_; query < queries(); query += warps) {
      const std::int64_t first = part_row(0, query), stride = part_row(1, query) - first;
      const auto row_of = [&](int part) {
        return ptx::load_fresh(in_.part_sums + first + part * stride);
      };
      float best = lowest;
      for (int part = lane_; part < piece_.parts; part += 32) best = fmaxf(best, row_of(part).x);
      best = warp_max(best);
      float total = 0.0F;
      float2 values[pairs] = {};
#pragma unroll 8
      for (int part = 0; part < piece_.parts; ++part) {
        const float2 row = row_of(part);
        const float share = ptx::exp2(row.x - best);
        total = fmaf(row.y, share, total);
        const float* const from = in_.parts + (first + part * stride) * Dim;
#pragma unroll
        for (int i = 0; i < pairs; ++i) {
          const float2 added =
              ptx::load_fresh(reinterpret_cast<const float2*>(from + i * 64 + lane_ * 2));
          values[i] =
              make_float2(fmaf(added.x, share, values[i].x), fmaf(added.y, share, values[i].y));
        }
      }
      for (int i = 0; i < pairs; ++i)
        store(query, i * 64 + lane_ * 2, {make_float2(best, total), values[i]});
    }
  }

  const decode_inputs& in_;
  const decode_piece piece_;
  shared_memory& shared_;
  const int head_;
  const int thread_;
  const int lane_;
  const int warp_;
  const int first_; // position of the warp's first tile
  const int tiles_;
  const std::int32_t* const table_;
  int next_block_;
  warp_attention<T, Dim, tile> attention_;
};

template <class T, int Dim, int Stages>
__global__ void __launch_bounds__(threads, blocks_per_multiprocessor)
    attend_decoding(const __grid_constant__ decode_inputs in) {
  auto& shared = *ptx::dynamic_shared<decode_memory<T, Dim, Stages>>();
  const unsigned list = blockIdx.x / static_cast<unsigned>(in.kv_heads);
  decode_piece piece = in.pieces[list];
  if (piece.begin >= piece.end) return;
  int block = decode_block<T, Dim, Stages>::first_block(in, piece);
  for (;;) {
    decode_piece next{};
    if (piece.next > 0) next = in.pieces[piece.next];
    int next_block = 0;
    decode_block<T, Dim, Stages>(in, piece, shared, block).run([&] {
      if (piece.next > 0) next_block = decode_block<T, Dim, Stages>::first_block(in, next);
    });
    if (piece.next == 0) return;
    __syncthreads(); // nobody reads what this one left
    piece = next;
    block = next_block;
  }
}

template <class T, int Dim, int Stages>
void issue(cudaStream_t stream, unsigned blocks, const decode_inputs& in) {
  launch(stream, {blocks, threads, sizeof(decode_memory<T, Dim, Stages>)},
         attend_decoding<T, Dim, Stages>, in);
}

/// What one query of a part leaves.
constexpr std::size_t bytes_of_part(std::int32_t head_dim) {
  return static_cast<std::size_t>(head_dim) * sizeof(float) + sizeof(float2);
}

} // namespace

decode_attention::decode_attention(cudaStream_t stream, std::int32_t multiprocessors,
                                   staging& uploads)
    : stream_(stream), multiprocessors_(multiprocessors), uploads_(uploads) {}

bool decode_attention::takes(const head_shape& heads, std::int32_t block_tokens) {
  return (heads.head_dim == 64 || heads.head_dim == 128) && heads.kv_heads <= most_kv_heads &&
         block_tokens % tile == 0;
}

decode_attention::planned& decode_attention::planned_for(const decode_shape& shape,
                                                         std::int32_t head_dim) {
  for (planned& known : plans_)
    if (known.shape == shape && known.head_dim == head_dim) return known;
  planned& made = plans_.emplace_back();
  made.shape = shape;
  made.head_dim = head_dim;
  return made;
}

void decode_attention::begin(const batch_view& batch) {
  for (planned& known : plans_) known.is_current = false;
  for (planned& known : plans_) plan(known, batch);
}

void decode_attention::plan(planned& at, const batch_view& batch) {
  const decode_plan made = plan_decode(batch.runs, at.shape);
  at.lists = made.lists;
  if (made.pieces.size() > at.capacity) {
    const std::size_t capacity = std::max<std::size_t>(2 * made.pieces.size(), 1024);
    at.capacity = 0;
    at.on_device = allocate_device(capacity * sizeof(decode_piece));
    at.capacity = capacity;
  }
  if (at.lists > 0) {
    reserve();
    uploads_.upload(at.on_device.get(), made.pieces.data(),
                    made.pieces.size() * sizeof(decode_piece));
  }
  at.is_current = true;
}

void decode_attention::reserve() {
  if (parts_) return;
  const std::size_t counters = static_cast<std::size_t>(most_parts()) * sizeof(unsigned);
  counters_ = allocate_device(counters);
  check(cudaMemsetAsync(counters_.get(), 0, counters, stream_), "cudaMemsetAsync");
  parts_ = allocate_device(static_cast<std::size_t>(most_parts()) * decode_queries *
                           bytes_of_part(most_dim));
}

/// Of all key heads: each list is that of a block, and at most twice as many parts are merged.
std::int64_t decode_attention::most_parts() const {
  return 2 * std::int64_t{std::max(blocks(), most_kv_heads)};
}

std::int32_t decode_attention::blocks() const {
  return blocks_per_multiprocessor * multiprocessors_;
}

std::uint64_t decode_attention::launches() const {
  launch_name name;
  name.add(counters_.get()).add(parts_.get());
  for (const planned& known : plans_) name.add(known.on_device.get()).add(known.lists);
  return name.value;
}

void decode_attention::run(const matrix& out, const matrix& qkv, const head_shape& heads,
                           const kv_pages& pages, const batch_view& batch, float scale,
                           std::int32_t window, float softcap) {
  const decode_shape shape{.group = heads.heads / heads.kv_heads,
                           .kv_heads = heads.kv_heads,
                           .window = window,
                           .most_rows = most_rows,
                           .blocks = blocks()};
  planned& known = planned_for(shape, heads.head_dim);
  // Blocks read their piece early. All later plans of the shape are made by begin().
  if (!known.is_current) {
    plan(known, batch);
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }
  auto* const part_sums = reinterpret_cast<float2*>(parts_.get());
  const std::int64_t part_rows = most_parts() * decode_queries;
  const decode_inputs in{
      .out = out.data,
      .qkv = qkv.data,
      .keys = pages.keys.data,
      .values = pages.values.data,
      .pieces = reinterpret_cast<const decode_piece*>(known.on_device.get()),
      .block_tables = batch.block_tables,
      .table_stride = batch.table_stride,
      .block_tokens = pages.block_tokens,
      .kv_heads = heads.kv_heads,
      .group = shape.group,
      .window = window,
      .scores = score_scale(scale, softcap),
      .counters = reinterpret_cast<unsigned*>(counters_.get()),
      .part_sums = part_sums,
      .parts = reinterpret_cast<float*>(part_sums + part_rows),
  };
  const auto blocks = static_cast<unsigned>(known.lists) * static_cast<unsigned>(heads.kv_heads);
  with_type(out.type, [&]<class T>() {
    if (heads.head_dim == 64)
      issue<T, 64, 4>(stream_, blocks, in);
    else
      issue<T, 128, 2>(stream_, blocks, in);
  });
}

} // namespace troupe::cuda
