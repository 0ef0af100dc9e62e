#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/rows.hpp"

namespace troupe::cuda {

namespace {

constexpr int most_threads = 1024;
constexpr int most_warps = most_threads / 32;

/// Threads for rows of `cols` elements: whole warps, a vector each where that is possible.
unsigned threads_for(std::int64_t cols) {
  const std::int64_t vectors = (cols + vector_size - 1) / vector_size;
  return static_cast<unsigned>(std::min<std::int64_t>(most_threads, (vectors + 31) / 32 * 32));
}

template <class T>
T* data_of(const matrix& m) {
  return static_cast<T*>(m.data);
}

/// The sum over the block in every thread, in an order that only the block's size decides.
__device__ float block_sum(float x) {
  __shared__ float sums[most_warps];
  x = warp_sum(x);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;
  __syncthreads();
  const unsigned lane = threadIdx.x % 32;
  return warp_sum(lane < blockDim.x / 32 ? sums[lane] : 0.0F);
}

__device__ float element(const void* from, dtype type, std::int64_t i) {
  if (type == dtype::f32) return static_cast<const float*>(from)[i];
  const std::uint16_t bits = static_cast<const std::uint16_t*>(from)[i];
  return type == dtype::bf16 ? bf16::number(bits) : f16::number(bits);
}

__global__ void convert_kernel(void* to, dtype to_type, const void* from, dtype from_type,
                               std::int64_t n) {
  ptx::wait_for_previous();
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const float x = element(from, from_type, i);
  if (to_type == dtype::f32)
    static_cast<float*>(to)[i] = x;
  else if (to_type == dtype::bf16)
    static_cast<bf16*>(to)[i] = from_float<bf16>(x);
  else
    static_cast<f16*>(to)[i] = from_float<f16>(x);
}

__global__ void take_chosen_kernel(token_id* ids, const std::int32_t* from, const token_id* chosen,
                                   std::int32_t tokens) {
  ptx::wait_for_previous();
  const auto t = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x);
  if (t < tokens && from[t] >= 0) ids[t] = chosen[from[t]];
}

__global__ void place_kernel(std::int32_t* table, const std::int32_t* changes, std::int32_t count) {
  ptx::wait_for_previous();
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < count) table[changes[2 * i]] = changes[2 * i + 1];
}

// One block a row.
template <class T>
__global__ void embed_kernel(T* out, const T* table, std::int64_t vocab, std::int64_t cols,
                             const token_id* ids, embed_fault* fault) {
  ptx::wait_for_previous();
  const std::int64_t row = blockIdx.x;
  const std::int64_t id = ids[row];
  if (id < 0 || id >= vocab) {
    if (threadIdx.x == 0)
      *fault = {static_cast<std::int32_t>(row) + 1, ids[row], static_cast<std::int32_t>(vocab)};
    return;
  }
  for (std::int64_t i = threadIdx.x * vector_size; i < cols; i += blockDim.x * vector_size)
    *reinterpret_cast<uint4*>(out + row * cols + i) =
        *reinterpret_cast<const uint4*>(table + id * cols + i);
}

/// The row's vector at `at` with what is added to it, as rounded: what later layers see. It is left
/// there where it is to be kept.
template <class T>
__device__ void add_vector(float (&x)[vector_size], T* residual, const T* delta, std::int64_t at,
                           bool kept) {
  load(x, residual + at);
  if (delta == nullptr) return;
  float added[vector_size];
  load(added, delta + at);
  for (int k = 0; k < vector_size; ++k) x[k] += added[k];
  const uint4 rounded = pack<T>(x);
  if (kept) *reinterpret_cast<uint4*>(residual + at) = rounded;
  unpack<T>(x, rounded);
}

/// From 16 bytes' alignment on.
__device__ void load_floats(float (&out)[vector_size], const float* from) {
  const float4 low = reinterpret_cast<const float4*>(from)[0];
  const float4 high = reinterpret_cast<const float4*>(from)[1];
  out[0] = low.x, out[1] = low.y, out[2] = low.z, out[3] = low.w;
  out[4] = high.x, out[5] = high.y, out[6] = high.z, out[7] = high.w;
}

__device__ float squares_of(const float (&x)[vector_size]) {
  float sum = 0;
  for (int k = 0; k < vector_size; ++k) sum += x[k] * x[k];
  return sum;
}

// One block a row, all rows or those that are wanted. Each thread keeps its first vector, which is
// all there is of most rows, and its weights, which no kernel writes, so they are read before the
// kernels ahead are done; what is longer is added up again.
template <class T>
__global__ void __launch_bounds__(most_threads)
    add_rms_norm_kernel(T* out, T* residual, const T* delta, const float* weight, std::int64_t cols,
                        float epsilon, const std::int32_t* wanted) {
  const std::int64_t begin = threadIdx.x * vector_size, step = blockDim.x * vector_size;
  float scales[vector_size] = {}, kept[vector_size] = {};
  if (begin < cols) load_floats(scales, weight + begin);
  ptx::wait_for_previous();
  ptx::allow_next();
  const bool all = wanted == nullptr;
  const std::int64_t first = (all ? blockIdx.x : wanted[blockIdx.x]) * cols;
  const std::int64_t to = blockIdx.x * cols;
  if (begin < cols) add_vector(kept, residual, delta, first + begin, all);
  float squares = squares_of(kept);
  for (std::int64_t i = begin + step; i < cols; i += step) {
    float x[vector_size];
    add_vector(x, residual, delta, first + i, all);
    squares += squares_of(x);
  }
  const float scale = rsqrtf(block_sum(squares) / static_cast<float>(cols) + epsilon);
  for (int k = 0; k < vector_size; ++k) kept[k] *= scale * scales[k];
  if (begin < cols) store(out + to + begin, kept);
  for (std::int64_t i = begin + step; i < cols; i += step) {
    float x[vector_size];
    add_vector(x, residual, all ? nullptr : delta, first + i, false);
    load_floats(scales, weight + i);
    for (int k = 0; k < vector_size; ++k) x[k] *= scale * scales[k];
    store(out + to + i, x);
  }
}

template <class T>
__global__ void silu_mul_kernel(T* out, const T* gate_up, std::int64_t width) {
  ptx::wait_for_previous();
  ptx::allow_next();
  const std::int64_t row = blockIdx.x;
  const std::int64_t i =
      (static_cast<std::int64_t>(blockIdx.y) * blockDim.x + threadIdx.x) * vector_size;
  if (i >= width) return;
  float gate[vector_size], up[vector_size];
  load(gate, gate_up + row * 2 * width + i);
  load(up, gate_up + row * 2 * width + width + i);
  for (int k = 0; k < vector_size; ++k) gate[k] = silu(gate[k]) * up[k];
  store(out + row * width + i, gate);
}

/// What norm_rope_store works on.
template <class T>
struct heads_view {
  T* qkv;                  // [tokens, (heads + 2 kv_heads) * head_dim]
  T* keys;                 // [blocks * block_tokens, kv_heads * head_dim]
  T* values;               // the same
  const float* query_norm; // [head_dim] or null
  const float* key_norm;
  const float* frequencies; // [head_dim / 2]
  float epsilon;
  float attention_factor;
  head_shape heads;
  std::int32_t block_tokens;
};

/// Pairs of a head that a lane turns.
constexpr int most_pairs = 256 / 2 / 32;

/// By which angles.
struct lane_turn {
  float sine[most_pairs], cosine[most_pairs];
};

template <class T>
__device__ lane_turn turn_at(const heads_view<T>& view, std::int32_t position) {
  lane_turn turn{};
#pragma unroll
  for (int p = 0; p < most_pairs; ++p) {
    const int i = static_cast<int>(threadIdx.x % 32) + 32 * p;
    if (i >= view.heads.head_dim / 2) break;
    sincosf(static_cast<float>(position) * view.frequencies[i], &turn.sine[p], &turn.cosine[p]);
    turn.sine[p] *= view.attention_factor;
    turn.cosine[p] *= view.attention_factor;
  }
  return turn;
}

/// What a lane has of a head: elements i and i + head_dim / 2 for its i = lane, lane + 32 ..
template <class T>
class head_of_lane {
 public:
  __device__ void load(const T* from, int half) {
    each_pair(half, [&](int p, int i) {
      low_[p] = to_float(from[i]);
      high_[p] = to_float(from[i + half]);
    });
  }
  /// By the warp: root mean square over the head, then the weights.
  __device__ void normalise(const float* weights, float epsilon, int half) {
    float squares = 0;
    each_pair(half, [&](int p, int) { squares += low_[p] * low_[p] + high_[p] * high_[p]; });
    const float scale = rsqrtf(warp_sum(squares) / static_cast<float>(2 * half) + epsilon);
    each_pair(half, [&](int p, int i) {
      low_[p] *= scale * weights[i];
      high_[p] *= scale * weights[i + half];
    });
  }
  __device__ void turn(const lane_turn& by, int half) {
    each_pair(half, [&](int p, int) {
      const float low = low_[p], high = high_[p];
      low_[p] = low * by.cosine[p] - high * by.sine[p];
      high_[p] = high * by.cosine[p] + low * by.sine[p];
    });
  }
  __device__ void store(T* to, int half) const {
    each_pair(half, [&](int p, int i) {
      to[i] = from_float<T>(low_[p]);
      to[i + half] = from_float<T>(high_[p]);
    });
  }

 private:
  template <class F>
  __device__ static void each_pair(int half, const F& f) {
#pragma unroll
    for (int p = 0; p < most_pairs; ++p) {
      const int i = static_cast<int>(threadIdx.x % 32) + 32 * p;
      if (i < half) f(p, i);
    }
  }

  float low_[most_pairs], high_[most_pairs];
};

/// Heads of a warp where there are many tokens: they share the angles, and are loaded together.
constexpr int heads_of_busy_warp = 4;
constexpr std::int32_t busy_tokens = 64;

// A warp has `Heads` adjacent heads, blocks stand at [token, group of heads]: queries are turned in
// place, keys turned into the pages, values copied there. The batch is read before the kernels
// ahead are done: what wrote it was done before the last of them began.
template <class T, int Heads>
__global__ void norm_rope_store_kernel(heads_view<T> view, batch_view batch) {
  const head_shape& heads = view.heads;
  const int half = heads.head_dim / 2, all = heads.heads + 2 * heads.kv_heads;
  const int first = static_cast<int>((blockIdx.y * blockDim.x + threadIdx.x) / 32) * Heads;
  const std::int64_t token = blockIdx.x;
  std::int64_t place = 0; // row of the pages
  lane_turn turn{};
  if (first < all) {
    const std::int32_t position = batch.positions[token];
    const std::int64_t block =
        batch.block_tables[std::int64_t{batch.table_of[token]} * batch.table_stride +
                           position / view.block_tokens];
    place = block * view.block_tokens + position % view.block_tokens;
    if (first < heads.heads + heads.kv_heads) turn = turn_at(view, position);
  }
  ptx::wait_for_previous();
  ptx::allow_next();
  T* const from = view.qkv + (token * all + first) * heads.head_dim;
  head_of_lane<T> mine[Heads];
#pragma unroll
  for (int i = 0; i < Heads; ++i)
    if (first + i < all) mine[i].load(from + i * heads.head_dim, half);
#pragma unroll
  for (int i = 0; i < Heads; ++i) {
    const int head = first + i, key = head - heads.heads, value = key - heads.kv_heads;
    if (value >= heads.kv_heads) break;
    const float* const norm = key < 0 ? view.query_norm : view.key_norm;
    if (value < 0) {
      if (norm != nullptr) mine[i].normalise(norm, view.epsilon, half);
      mine[i].turn(turn, half);
    }
    T* const pages = value < 0 ? view.keys : view.values;
    const int column = value < 0 ? key : value;
    mine[i].store(key < 0 ? from + i * heads.head_dim
                          : pages + (place * heads.kv_heads + column) * heads.head_dim,
                  half);
  }
}

} // namespace

void convert(cudaStream_t stream, void* to, dtype to_type, const void* from, dtype from_type,
             std::int64_t n) {
  launch(stream, {pieces(n, 256), 256}, convert_kernel, to, to_type, from, from_type, n);
}

void take_chosen(cudaStream_t stream, token_id* ids, const std::int32_t* from,
                 const token_id* chosen, std::int32_t tokens) {
  launch(stream, {pieces(tokens, 128), 128}, take_chosen_kernel, ids, from, chosen, tokens);
}

void place(cudaStream_t stream, std::int32_t* table, const std::int32_t* changes,
           std::int32_t count) {
  launch(stream, {pieces(count, 128), 128}, place_kernel, table, changes, count);
}

void embed(cudaStream_t stream, const matrix& out, const matrix& table, const token_id* ids,
           embed_fault* fault) {
  with_type(out.type, [&]<class T>() {
    launch(stream, {static_cast<unsigned>(out.rows), threads_for(out.cols)}, embed_kernel<T>,
           data_of<T>(out), data_of<T>(table), table.rows, out.cols, ids, fault);
  });
}

void add_rms_norm(cudaStream_t stream, const matrix& out, const matrix& residual,
                  const matrix& delta, const matrix& weight, float epsilon,
                  const std::int32_t* wanted) {
  with_type(out.type, [&]<class T>() {
    launch(stream, {static_cast<unsigned>(out.rows), threads_for(out.cols)}, add_rms_norm_kernel<T>,
           data_of<T>(out), data_of<T>(residual), data_of<T>(delta), data_of<float>(weight),
           out.cols, epsilon, wanted);
  });
}

void norm_rope_store(cudaStream_t stream, const matrix& qkv, const matrix& query_norm,
                     const matrix& key_norm, float epsilon, const float* frequencies,
                     float attention_factor, const head_shape& heads, const kv_pages& pages,
                     const batch_view& batch) {
  with_type(qkv.type, [&]<class T>() {
    const heads_view<T> view{data_of<T>(qkv),
                             data_of<T>(pages.keys),
                             data_of<T>(pages.values),
                             data_of<float>(query_norm),
                             data_of<float>(key_norm),
                             frequencies,
                             epsilon,
                             attention_factor,
                             heads,
                             pages.block_tokens};
    constexpr unsigned warps = 4;
    const auto start = [&]<int Heads>() {
      const unsigned groups = pieces(heads.heads + 2 * heads.kv_heads, warps * Heads);
      launch(stream, {dim3(static_cast<unsigned>(batch.tokens), groups), 32 * warps},
             norm_rope_store_kernel<T, Heads>, view, batch);
    };
    if (batch.tokens < busy_tokens)
      start.template operator()<1>();
    else
      start.template operator()<heads_of_busy_warp>();
  });
}

void silu_mul(cudaStream_t stream, const matrix& out, const matrix& gate_up) {
  with_type(out.type, [&]<class T>() {
    constexpr unsigned threads = 128;
    launch(
        stream,
        {dim3(static_cast<unsigned>(out.rows), pieces(out.cols, threads * vector_size)), threads},
        silu_mul_kernel<T>, data_of<T>(out), data_of<T>(gate_up), out.cols);
  });
}

} // namespace troupe::cuda
