// Two blocks of a cluster have 128 rows of the batch each and the same tile of gates and ups: each
// brings one of the two for both, so that weights are read once and rows twice as many as fit one
// multiprocessor's registers meet them. A block stays for all its tiles. One of its warps has the
// copy engine fill a ring of stages, ahead of the two warpgroups that multiply, over the ends of
// tiles too; sums stay in registers until a tile is done.
//
// The weights of the first stages are fetched before the kernels ahead are done, rows after that.
#include "kernels/cuda/gated_matmul.hpp"
#include "kernels/cuda/gated_matmul_plan.hpp"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/stage_ring.cuh"

#include <algorithm>

namespace troupe::cuda {

namespace {

constexpr int warpgroup_threads = 128;
constexpr int warpgroup_rows = 64;
constexpr int warpgroups = 2;
constexpr int block_rows = warpgroups * warpgroup_rows;
constexpr int pair = 2; // blocks
constexpr int threads = warpgroups * warpgroup_threads + 32;
constexpr int depth = panel_columns; // of the inner dimension, that a stage has

/// One launch's inputs beside the maps of rows and weights.
struct gated_product {
  void* out;
  const float* bias; ///< or null
  std::int32_t rows;
  std::int32_t outputs; ///< of a row of out
  std::int32_t tiles;
  std::int32_t steps; ///< stages that a tile takes
};

/// `Width` gates and as many ups, and the rows that meet them.
template <int Width>
struct gated_memory {
  static constexpr int stages = Width > 112 ? 4 : 5;
  struct stage {
    std::uint16_t rows[block_rows * panel_columns];
    std::uint16_t weights[2][Width * panel_columns]; // gates, ups
  };
  stage ring[stages];
  std::uint64_t full[stages], empty[stages];

  /// To be called by one thread. A stage is empty when both blocks have used it, since each brings
  /// a part of both.
  __device__ void make_barriers() {
    for (int i = 0; i < stages; ++i) {
      ptx::make_barrier(&full[i], 1);
      ptx::make_barrier(&empty[i], pair * warpgroups);
    }
    ptx::publish_barriers();
    ptx::publish_shared();
  }
};

static_assert(panel_memory_bytes<gated_memory<112>> <= 227 << 10 &&
              panel_memory_bytes<gated_memory<128>> <= 227 << 10);

/// The tiles of a block are every so many, its pair's first one first.
struct block_tiles {
  int first = static_cast<int>(blockIdx.x) / pair;
  int apart = static_cast<int>(gridDim.x) / pair;
};

/// One thread's work: it fills the stages.
template <int Width>
class stage_filler {
 public:
  using memory = gated_memory<Width>;

  __device__ stage_filler(const gated_product& of, memory& shared, const CUtensorMap& rows,
                          const CUtensorMap& weights)
      : of_(of), shared_(shared), rows_(rows), weights_(weights),
        number_(static_cast<int>(ptx::number_in_cluster())) {}

  __device__ void run() {
    const block_tiles tiles;
    const int count = (of_.tiles - tiles.first + tiles.apart - 1) / tiles.apart;
    const int all = count * of_.steps, at_once = min(memory::stages, all);
    int tile = tiles.first, step = 0;
    const auto advance = [&] {
      if (++step < of_.steps) return;
      step = 0;
      tile += tiles.apart;
    };
    for (int i = 0; i < at_once; ++i, advance()) bring_weights(tile, step, i);
    ptx::wait_for_previous();
    for (int i = 0; i < at_once; ++i) bring_rows(i % of_.steps, i);
    ring_place<memory::stages> at;
    for (int i = at_once; i < all; ++i, advance(), at.advance()) {
      ptx::wait(&shared_.empty[at.stage], at.parity);
      bring_weights(tile, step, at.stage);
      bring_rows(step, at.stage);
    }
  }

 private:
  /// All of a stage's bytes are announced, those that the other block brings too.
  __device__ void bring_weights(int tile, int step, int stage) const {
    ptx::arrive_expecting(&shared_.full[stage], sizeof(typename memory::stage));
    ptx::copy_box_to((1U << pair) - 1, shared_.ring[stage].weights[number_], weights_, step * depth,
                     number_ * of_.outputs + tile * Width, &shared_.full[stage]);
  }
  __device__ void bring_rows(int step, int stage) const {
    ptx::copy_box(shared_.ring[stage].rows, rows_, step * depth, number_ * block_rows,
                  &shared_.full[stage]);
  }

  const gated_product& of_;
  memory& shared_;
  const CUtensorMap& rows_;
  const CUtensorMap& weights_;
  const int number_;
};

/// A warpgroup that multiplies its 64 rows.
template <class T, int Width>
class gated_warpgroup {
 public:
  using memory = gated_memory<Width>;

  __device__ gated_warpgroup(const gated_product& of, memory& shared, int index)
      : of_(of), shared_(shared), index_(index), lane_(static_cast<int>(threadIdx.x % 32)),
        row_(static_cast<int>(ptx::number_in_cluster()) * block_rows + index * warpgroup_rows +
             static_cast<int>(threadIdx.x % warpgroup_threads) / 32 * 16 + lane_ / 4) {}

  __device__ void run() {
    const block_tiles tiles;
    for (int tile = tiles.first; tile < of_.tiles; tile += tiles.apart) {
      for (int step = 0; step < of_.steps; ++step) {
        ptx::wait(&shared_.full[at_.stage], at_.parity);
        issue(step > 0);
        ptx::wait_products<1>();
        if (step > 0) release(before_);
        before_ = at_.stage;
        at_.advance();
      }
      ptx::wait_products<0>(sums_);
      release(before_);
#pragma unroll
      for (int j = 0; j < Width / 8; j += 2)
#pragma unroll
        for (int i = 0; i < 2; ++i) write(tile * Width + 8 * j, j, i);
    }
  }

 private:
  __device__ void issue(bool keep) {
    auto& stage = shared_.ring[at_.stage];
    const std::uint64_t rows =
        rows_descriptor(ptx::shared_address(stage.rows + index_ * warpgroup_rows * panel_columns));
    const std::uint64_t weights = rows_descriptor(ptx::shared_address(stage.weights));
    ptx::wgmma_fence();
#pragma unroll
    for (int k = 0; k < depth / 16; ++k) {
      const std::uint64_t a = advanced(rows, k * 32), b = advanced(weights, k * 32);
      if constexpr (T::type == dtype::bf16)
        ptx::multiply_shared_bf16(sums_, a, b, keep || k > 0);
      else
        ptx::multiply_shared_f16(sums_, a, b, keep || k > 0);
    }
    ptx::commit_products();
  }

  /// The warpgroup is done with a stage: a lane tells each block.
  __device__ void release(int stage) const {
    if (threadIdx.x % warpgroup_threads < pair)
      ptx::arrive_in(static_cast<std::uint32_t>(lane_), &shared_.empty[stage]);
    __syncwarp();
  }

  /// Number e of the two adjacent ones that the thread has of row i and outputs [8 j, 8 j + 8) of
  /// the tile, the first of which is `first`.
  __device__ float number(int first, int j, int i, int e) const {
    const int at = 4 * j + 2 * i + e;
    float gate = sums_[at], up = sums_[Width / 2 + at];
    if (of_.bias != nullptr) {
      const int output = min(first + lane_ % 4 * 2 + e, of_.outputs - 1);
      gate += of_.bias[output];
      up += of_.bias[of_.outputs + output];
    }
    return silu(gate) * up;
  }

  /// Neighbours exchange what they have of every two blocks of eight columns, so that a lane stores
  /// four adjacent numbers and a quad 32 bytes.
  __device__ void write(int first, int j, int i) const {
    const int row = row_ + 8 * i, odd = lane_ % 2;
    const std::uint32_t low = T::pack(number(first, j, i, 0), number(first, j, i, 1));
    const std::uint32_t high =
        T::pack(number(first + 8, j + 1, i, 0), number(first + 8, j + 1, i, 1));
    const std::uint32_t other = __shfl_xor_sync(0xFFFFFFFF, odd != 0 ? low : high, 1);
    const int output = first + 8 * odd + lane_ % 4 / 2 * 4;
    if (row < of_.rows && output < of_.outputs)
      *reinterpret_cast<uint2*>(static_cast<T*>(of_.out) + std::int64_t{row} * of_.outputs +
                                output) =
          odd != 0 ? make_uint2(other, high) : make_uint2(low, other);
  }

  const gated_product& of_;
  memory& shared_;
  const int index_;
  const int lane_;
  const int row_; ///< the thread's first; the other is 8 on
  ring_place<memory::stages> at_;
  int before_ = 0;    ///< the stage whose products may be under way
  float sums_[Width]; ///< of gates, then of ups
};

// At most 256 rows; outputs and the inner dimension are multiples of 8, out is aligned to 16 bytes.
template <class T, int Width>
__global__ void __launch_bounds__(threads, 1)
    multiply_gated(const __grid_constant__ gated_product of,
                   const __grid_constant__ CUtensorMap rows,
                   const __grid_constant__ CUtensorMap weights) {
  if constexpr (ptx::has_hopper) {
    auto& shared = panel_memory<gated_memory<Width>>();
    if (threadIdx.x == 0) {
      ptx::prefetch_map(rows);
      ptx::prefetch_map(weights);
      shared.make_barriers();
    }
    __syncwarp();
    ptx::arrive_cluster();
    ptx::wait_cluster(); // the other block's barriers are made
    const int warpgroup =
        __shfl_sync(0xFFFFFFFF, static_cast<int>(threadIdx.x) / warpgroup_threads, 0);
    if (warpgroup == warpgroups) {
      if (threadIdx.x % 32 == 0) stage_filler<Width>(of, shared, rows, weights).run();
      __syncwarp();
    } else {
      ptx::wait_for_previous();
      ptx::allow_next();
      gated_warpgroup<T, Width>(of, shared, warpgroup).run();
    }
    // Nobody leaves while the other one counts at its barriers.
    ptx::arrive_cluster();
    ptx::wait_cluster();
  } else {
    ptx::trap();
  }
}

/// Calls work.operator()<Width>().
template <class Work>
void with_width(std::int32_t width, const Work& work) {
  switch (width) {
  case 64:
    return work.template operator()<64>();
  case 96:
    return work.template operator()<96>();
  case 112:
    return work.template operator()<112>();
  case 128:
    return work.template operator()<128>();
  default:
    throw std::invalid_argument("cuda: a gated product has no tiles of that width");
  }
}

std::int32_t pairs_at_once(cudaStream_t stream) {
  const auto kernel = &multiply_gated<bf16, 112>;
  constexpr std::size_t shared_bytes = panel_memory_bytes<gated_memory<112>>;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
        "cudaFuncSetAttribute");
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {pair, 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(pair);
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  config.attrs = &cluster;
  config.numAttrs = 1;
  int pairs = 0;
  check(cudaOccupancyMaxActiveClusters(&pairs, kernel, &config), "cudaOccupancyMaxActiveClusters");
  return std::max(pairs, 1);
}

} // namespace

gated_matmul::gated_matmul(cudaStream_t stream) : stream_(stream), pairs_(pairs_at_once(stream)) {}

bool gated_matmul::takes(const matrix& x, const matrix& weight) {
  return x.rows >= least_rows && can_compute(x, weight);
}

bool gated_matmul::can_compute(const matrix& x, const matrix& weight) {
  return x.rows <= most_rows && weight.rows % 16 == 0 && weight.cols % 8 == 0;
}

void gated_matmul::run(const matrix& out, const matrix& x, const matrix& weight,
                       const matrix& bias) {
  run_in_tiles(choose_gated_tile(out.cols, pairs_), out, x, weight, bias);
}

void gated_matmul::run_in_tiles(std::int32_t width, const matrix& out, const matrix& x,
                                const matrix& weight, const matrix& bias) {
  if (!can_compute(x, weight))
    throw std::invalid_argument("cuda: a gated product takes at most 256 rows, outputs and inputs "
                                "of a multiple of 8");
  const gated_product of{
      .out = out.data,
      .bias = static_cast<const float*>(bias.data),
      .rows = static_cast<std::int32_t>(x.rows),
      .outputs = static_cast<std::int32_t>(out.cols),
      .tiles = static_cast<std::int32_t>(pieces(out.cols, width)),
      .steps = static_cast<std::int32_t>(pieces(x.cols, depth)),
  };
  const unsigned blocks = static_cast<unsigned>(pair * std::min(of.tiles, pairs_));
  const CUtensorMap& rows = maps_.of(x, block_rows);
  const CUtensorMap& weights = maps_.of(weight, width);
  with_type(x.type, [&]<class T>() {
    with_width(width, [&]<int Width>() {
      launch(stream_, {blocks, threads, panel_memory_bytes<gated_memory<Width>>, pair},
             multiply_gated<T, Width>, of, rows, weights);
    });
  });
}

} // namespace troupe::cuda
