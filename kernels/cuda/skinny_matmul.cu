// The weights are the left operand of the tensor cores' product and the rows of x its 8 columns, so
// that one row and eight cost the same. A sum over k does not care which k stands where, as long as
// both operands agree: so each lane takes 8 adjacent elements, 16 bytes, of its weight row and of
// its row of x, and calls them the columns that the instruction wants from it. Nothing goes through
// shared memory but the sums of the block's warps, which share k between them.
//
// The first weights are asked for before the kernels ahead are done: no kernel writes weights.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/skinny_matmul.hpp"

namespace troupe::cuda {

namespace {

constexpr int warps = 8;
constexpr int weights = 16; // rows of the weights a block
constexpr int columns = 8;  // rows of x a product
constexpr int depth = 32;   // of k, that a warp takes at once: 4 lanes of 8 elements
constexpr int blocks_per_multiprocessor = 3; // that have their first loads under way
constexpr int ahead = 4;                     // such pieces under way

/// Outputs of a block: a gated product pairs each gate with its up, 8 of the one above 8 of the
/// other.
template <bool gated>
constexpr int outputs_of = gated ? weights / 2 : weights;

/// n: outputs, of which a gated product's weights have two rows each.
struct problem {
  std::int64_t m, n, k;
};

/// Which elements a lane holds.
struct lane_place {
  int row;     // lane / 4: rows row and row + 8 of the weights, row `row` of x
  int quarter; // lane % 4: elements 8 * quarter .. + 7 of a piece
};

/// A row of the weights that a lane reads: of its upper half (0) or lower (1); -1 where there is
/// none.
template <bool gated>
__device__ std::int64_t weight_row(const problem& of, std::int64_t first_output, int row,
                                   int half) {
  const std::int64_t output = first_output + row + (gated ? 0 : 8 * half);
  if (output >= of.n) return -1;
  return gated ? output + half * of.n : output;
}

template <class T>
__device__ void load_pieces(uint4 (&pieces)[ahead][2], const T* const (&rows)[2], const problem& of,
                            std::int64_t piece, lane_place lane) {
#pragma unroll
  for (int i = 0; i < ahead; ++i) {
    const std::int64_t at = (piece + i * warps) * depth + lane.quarter * vector_size;
#pragma unroll
    for (int half = 0; half < 2; ++half)
      pieces[i][half] = at < of.k && rows[half] != nullptr ? ptx::load_once(rows[half] + at)
                                                           : make_uint4(0, 0, 0, 0);
  }
}

template <class Out>
__device__ void leave(Out* to, float value) {
  if constexpr (sizeof(Out) == sizeof(float))
    *to = value;
  else
    *to = from_float<Out>(value);
}

// One block for 16 rows of the weights and `tiles` times 8 rows of x.
template <class T, class Out, int tiles, bool gated>
__global__ void __launch_bounds__(32 * warps, blocks_per_multiprocessor)
    skinny_matmul_kernel(Out* out, const T* x, const T* weight, const float* bias, problem of) {
  constexpr int outputs = outputs_of<gated>;
  __shared__ float parts[warps][weights][tiles * columns];
  const int warp = threadIdx.x / 32;
  const lane_place lane{static_cast<int>(threadIdx.x % 32 / 4), static_cast<int>(threadIdx.x % 4)};
  const std::int64_t first_row = std::int64_t{blockIdx.x} * tiles * columns;
  const std::int64_t first_output = std::int64_t{blockIdx.y} * outputs;
  const T* rows[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const std::int64_t row = weight_row<gated>(of, first_output, lane.row, half);
    rows[half] = row < 0 ? nullptr : weight + row * of.k;
  }

  uint4 next[ahead][2];
  load_pieces(next, rows, of, warp, lane);
  ptx::wait_for_previous();
  ptx::allow_next();

  float sums[tiles][4] = {};
  for (std::int64_t piece = warp; piece * depth < of.k; piece += ahead * warps) {
    uint4 now[ahead][2];
#pragma unroll
    for (int i = 0; i < ahead; ++i)
#pragma unroll
      for (int half = 0; half < 2; ++half) now[i][half] = next[i][half];
    load_pieces(next, rows, of, piece + ahead * warps, lane);
#pragma unroll
    for (int i = 0; i < ahead; ++i) {
      const std::int64_t at = (piece + i * warps) * depth + lane.quarter * vector_size;
#pragma unroll
      for (int tile = 0; tile < tiles; ++tile) {
        const std::int64_t row = first_row + tile * columns + lane.row;
        const uint4 v = at < of.k && row < of.m
                            ? *reinterpret_cast<const uint4*>(x + row * of.k + at)
                            : make_uint4(0, 0, 0, 0);
        const uint4 &w0 = now[i][0], &w1 = now[i][1];
        T::mma(sums[tile], {w0.x, w1.x, w0.y, w1.y}, {v.x, v.y});
        T::mma(sums[tile], {w0.z, w1.z, w0.w, w1.w}, {v.z, v.w});
      }
    }
  }

#pragma unroll
  for (int tile = 0; tile < tiles; ++tile)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      parts[warp][lane.row + i / 2 * 8][tile * columns + 2 * lane.quarter + i % 2] = sums[tile][i];
  __syncthreads();
  const auto sum_of = [&](int weight_of_block, int column, std::int64_t weight_of_all) {
    float sum = bias == nullptr ? 0.0F : bias[weight_of_all];
    for (int w = 0; w < warps; ++w) sum += parts[w][weight_of_block][column];
    return sum;
  };
  for (int i = threadIdx.x; i < outputs * tiles * columns; i += 32 * warps) {
    const int place = i % outputs, column = i / outputs;
    const std::int64_t output = first_output + place, row = first_row + column;
    if (output >= of.n || row >= of.m) continue;
    float sum = sum_of(place, column, output);
    if constexpr (gated) sum = silu(sum) * sum_of(place + 8, column, output + of.n);
    leave(out + row * of.n + output, sum);
  }
}

template <class Out>
__global__ void add_bias_kernel(Out* out, const float* bias, std::int64_t n) {
  ptx::wait_for_previous();
  const std::int64_t j = std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  Out& at = out[blockIdx.x * n + j];
  if constexpr (sizeof(Out) == sizeof(float))
    at += bias[j];
  else
    at = from_float<Out>(to_float(at) + bias[j]);
}

template <class T, class Out, int tiles, bool gated>
void issue(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight,
           const matrix& bias) {
  const problem of{x.rows, out.cols, weight.cols};
  launch(stream, {dim3(pieces(of.m, tiles * columns), pieces(of.n, outputs_of<gated>)), 32 * warps},
         skinny_matmul_kernel<T, Out, tiles, gated>, static_cast<Out*>(out.data),
         static_cast<const T*>(x.data), static_cast<const T*>(weight.data),
         static_cast<const float*>(bias.data), of);
}

} // namespace

void skinny_matmul(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight,
                   const matrix& bias) {
  const bool one_tile = x.rows <= columns;
  with_type(x.type, [&]<class T>() {
    if (out.type == dtype::f32)
      one_tile ? issue<T, float, 1, false>(stream, out, x, weight, bias)
               : issue<T, float, 2, false>(stream, out, x, weight, bias);
    else
      one_tile ? issue<T, T, 1, false>(stream, out, x, weight, bias)
               : issue<T, T, 2, false>(stream, out, x, weight, bias);
  });
}

void gated_skinny_matmul(cudaStream_t stream, const matrix& out, const matrix& x,
                         const matrix& gate_up, const matrix& bias) {
  with_type(x.type, [&]<class T>() {
    x.rows <= columns ? issue<T, T, 1, true>(stream, out, x, gate_up, bias)
                      : issue<T, T, 2, true>(stream, out, x, gate_up, bias);
  });
}

void add_bias(cudaStream_t stream, const matrix& out, const matrix& bias) {
  const dim3 blocks(static_cast<unsigned>(out.rows), pieces(out.cols, 256));
  const auto* const values = static_cast<const float*>(bias.data);
  if (out.type == dtype::f32)
    return launch(stream, {blocks, 256}, add_bias_kernel<float>, static_cast<float*>(out.data),
                  values, out.cols);
  with_type(out.type, [&]<class T>() {
    launch(stream, {blocks, 256}, add_bias_kernel<T>, static_cast<T*>(out.data), values, out.cols);
  });
}

} // namespace troupe::cuda
