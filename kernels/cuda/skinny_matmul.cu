// The weights are the left operand of the tensor cores' product and the rows of x its 8 columns, so
// that one row and eight cost the same. A sum over k does not care which k stands where, as long as
// both operands agree: so each lane takes 8 adjacent elements, 16 bytes, of its weight row and of
// its row of x, and calls them the columns that the instruction wants from it. Nothing goes through
// shared memory but the sums of the block's warps, which share k between them.
//
// A few blocks a multiprocessor go through all weights, 16 rows at a time, and their loads run
// ahead from one such unit into the next, so that memory never waits for sums; that also leaves
// room for the next kernel's blocks, which ask for their first weights before this one is done: no
// kernel writes weights.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/prefetch.cuh"
#include "kernels/cuda/skinny_matmul.hpp"

#include <algorithm>

namespace troupe::cuda {

namespace {

constexpr int warps = 8;
constexpr int weights = 16; // rows of the weights in a unit
constexpr int columns = 8;  // rows of x a product
constexpr int depth = 32;   // of k, that a warp takes at once: 4 lanes of 8 elements
constexpr int ahead = 4;    // such pieces under way

/// Outputs of a unit: a gated product pairs each gate with its up, 8 of the one above 8 of the
/// other.
template <bool gated>
constexpr int outputs_of = gated ? weights / 2 : weights;

/// n: outputs, of which a gated product's weights have two rows each.
struct problem {
  int m, n, k;
};

/// Which elements a lane holds.
struct lane_place {
  int row;     // lane / 4: rows row and row + 8 of the weights, row `row` of x
  int quarter; // lane % 4: elements 8 * quarter .. + 7 of a piece
};

/// Elements from a warp's piece to its next: the warps' pieces alternate.
constexpr int stride = warps * depth;

/// Where a lane's elements start in a row.
__device__ int first_element(lane_place lane) {
  return static_cast<int>(threadIdx.x / 32) * depth + lane.quarter * vector_size;
}

/// A lane's weights in the order of their use: `ahead` pieces a step, the steps of a unit, the
/// units of the block.
template <class T, bool gated>
class weight_stream {
 public:
  __device__ weight_stream(const T* weight, const problem& of, lane_place lane)
      : weight_(weight), of_(of), lane_(lane) {
    start(blockIdx.y);
  }
  /// There is no such step, and all its pieces are zero.
  __device__ bool ended() const { return unit_ * outputs_of<gated> >= of_.n; }

  /// One half of a piece of this step; zero behind the row's end.
  __device__ uint4 load(int piece, int half) const {
    return piece * stride < left_ ? ptx::load_once(row_[half] + piece * stride)
                                  : make_uint4(0, 0, 0, 0);
  }
  __device__ void advance() {
    row_[0] += ahead * stride;
    row_[1] += ahead * stride;
    left_ -= ahead * stride;
    if ((done_ += ahead * stride) >= of_.k) start(unit_ + gridDim.y);
  }

 private:
  __device__ void start(int unit) {
    unit_ = unit;
    done_ = 0;
    left_ = ended() ? 0 : of_.k - first_element(lane_);
    // Rows that are not there give outputs that nobody reads.
    const int output = unit * outputs_of<gated> + lane_.row, last = of_.n - 1;
    const int first = min(output, last), second = gated ? first + of_.n : min(output + 8, last);
    row_[0] = weight_ + std::int64_t{first} * of_.k + first_element(lane_);
    row_[1] = weight_ + std::int64_t{second} * of_.k + first_element(lane_);
  }

  const T* weight_;
  const problem& of_;
  lane_place lane_;
  int unit_;
  const T* row_[2];
  int left_; // elements of the row from row_ on
  int done_; // elements of k behind the block in this unit
};

/// What the warps leave of a unit.
template <int tiles>
using warp_sums = float[warps][weights][tiles * columns];

/// The sum for one row of x over all warps, in their order.
template <int tiles>
__device__ float total(const warp_sums<tiles>& parts, int weight, int row, float sum) {
  for (int w = 0; w < warps; ++w) sum += parts[w][weight][row];
  return sum;
}

/// Adds up and writes a unit's outputs.
template <class Out, int tiles, bool gated>
__device__ void finish(Out* out, const warp_sums<tiles>& parts, const float* bias,
                       const problem& of, int unit, int first_row) {
  constexpr int outputs = outputs_of<gated>;
  const auto bias_of = [&](int i) { return bias == nullptr ? 0.0F : bias[i]; };
  for (int i = threadIdx.x; i < outputs * tiles * columns; i += 32 * warps) {
    const int place = i % outputs, column = i / outputs;
    const int output = unit * outputs + place, row = first_row + column;
    if (output >= of.n || row >= of.m) continue;
    float sum = total<tiles>(parts, place, column, bias_of(output));
    if constexpr (gated)
      sum = silu(sum) * total<tiles>(parts, place + outputs, column, bias_of(of.n + output));
    if constexpr (sizeof(Out) == sizeof(float))
      out[std::int64_t{row} * of.n + output] = sum;
    else
      out[std::int64_t{row} * of.n + output] = from_float<Out>(sum);
  }
}

// Blocks stand at [tiles times 8 rows of x, first unit].
template <class T, class Out, int tiles, bool gated>
__global__ void __launch_bounds__(32 * warps, tiles == 1 ? 4 : 3)
    skinny_matmul_kernel(Out* out, const T* x, const T* weight, const float* bias, problem of,
                         skinny_overlap overlap) {
  __shared__ warp_sums<tiles> parts[2]; // of units in turn: one is written while one is read
  const lane_place lane{static_cast<int>(threadIdx.x % 32 / 4), static_cast<int>(threadIdx.x % 4)};
  const int first_row = static_cast<int>(blockIdx.x) * tiles * columns;
  const T* x_row[tiles]; // rows that are not there give columns that nobody reads
#pragma unroll
  for (int tile = 0; tile < tiles; ++tile)
    x_row[tile] = x + std::int64_t{min(first_row + tile * columns + lane.row, of.m - 1)} * of.k +
                  first_element(lane);

  if (overlap.early_launch) ptx::allow_next();
  weight_stream<T, gated> stream(weight, of, lane);
  uint4 pieces[ahead][2];
#pragma unroll
  for (int i = 0; i < ahead; ++i)
    pieces[i][0] = stream.load(i, 0), pieces[i][1] = stream.load(i, 1);
  stream.advance();
  ptx::wait_for_previous();

  int turn = 0;
  for (int unit = blockIdx.y; unit * outputs_of<gated> < of.n; unit += gridDim.y) {
    float sums[tiles][4] = {};
    for (int done = 0; done < of.k; done += ahead * stride) {
      if (stream.ended()) { // once: the last loads are under way
        ptx::allow_next();
        prefetch_share(overlap.coming, blockIdx.y * gridDim.x + blockIdx.x, gridDim.x * gridDim.y);
      }
#pragma unroll
      for (int i = 0; i < ahead; ++i) {
        const int at = done + i * stride;
        const bool there = at + first_element(lane) < of.k;
#pragma unroll
        for (int tile = 0; tile < tiles; ++tile) {
          const uint4 v =
              there ? *reinterpret_cast<const uint4*>(x_row[tile] + at) : make_uint4(0, 0, 0, 0);
          const uint4 &w0 = pieces[i][0], &w1 = pieces[i][1];
          T::mma(sums[tile], {w0.x, w1.x, w0.y, w1.y}, {v.x, v.y});
          T::mma(sums[tile], {w0.z, w1.z, w0.w, w1.w}, {v.z, v.w});
        }
        pieces[i][0] = stream.load(i, 0);
        pieces[i][1] = stream.load(i, 1);
      }
      stream.advance();
    }
#pragma unroll
    for (int tile = 0; tile < tiles; ++tile)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        parts[turn][threadIdx.x / 32][lane.row + i / 2 * 8]
             [tile * columns + 2 * lane.quarter + i % 2] = sums[tile][i];
    __syncthreads();
    finish<Out, tiles, gated>(out, parts[turn], bias, of, unit, first_row);
    turn ^= 1;
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

template <class T, class Out, int tiles, bool gated = false>
void issue(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight,
           const matrix& bias, const skinny_plan& plan) {
  const problem of{static_cast<int>(x.rows), static_cast<int>(out.cols),
                   static_cast<int>(weight.cols)};
  const unsigned groups = pieces(of.m, tiles * columns), units = pieces(of.n, outputs_of<gated>);
  const unsigned starts = std::min(units, pieces(plan.blocks, groups));
  launch(stream, {dim3(groups, starts), 32 * warps}, skinny_matmul_kernel<T, Out, tiles, gated>,
         static_cast<Out*>(out.data), static_cast<const T*>(x.data),
         static_cast<const T*>(weight.data), static_cast<const float*>(bias.data), of,
         plan.overlap);
}

} // namespace

void skinny_matmul(cudaStream_t stream, const matrix& out, const matrix& x, const matrix& weight,
                   const matrix& bias, const skinny_plan& plan) {
  const bool one_tile = x.rows <= columns;
  with_type(x.type, [&]<class T>() {
    if (out.type == dtype::f32)
      one_tile ? issue<T, float, 1>(stream, out, x, weight, bias, plan)
               : issue<T, float, 2>(stream, out, x, weight, bias, plan);
    else
      one_tile ? issue<T, T, 1>(stream, out, x, weight, bias, plan)
               : issue<T, T, 2>(stream, out, x, weight, bias, plan);
  });
}

void gated_skinny_matmul(cudaStream_t stream, const matrix& out, const matrix& x,
                         const matrix& gate_up, const matrix& bias, const skinny_plan& plan) {
  with_type(x.type, [&]<class T>() {
    x.rows <= columns ? issue<T, T, 1, true>(stream, out, x, gate_up, bias, plan)
                      : issue<T, T, 2, true>(stream, out, x, gate_up, bias, plan);
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
