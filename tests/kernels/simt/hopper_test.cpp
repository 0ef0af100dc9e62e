// Hopper's instructions as the interpreter has them, with matrices laid out by hand.
#include "kernels/cuda/ptx_hopper.cuh"
#include "kernels/cuda/shared_matrix.cuh"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace troupe {

namespace {

cudaLaunchConfig_t shape(unsigned threads, std::size_t shared_bytes) {
  return {1, threads, shared_bytes, nullptr, nullptr, 0};
}

/// The first address in shared memory where a panel may begin.
std::byte* first_panel() {
  const auto address = ptx::shared_address(simt::block::current().shared());
  return ptx::shared_at((address + cuda::panel_alignment - 1) / cuda::panel_alignment *
                        cuda::panel_alignment);
}

__global__ void count_phases(int* phases) {
  auto* const barrier = reinterpret_cast<std::uint64_t*>(first_panel());
  const auto over = [&](std::uint32_t parity) {
    return std::bit_cast<ptx::barrier_state>(*barrier).parity != parity;
  };
  ptx::make_barrier(barrier, 2);
  *phases++ = over(0);
  ptx::arrive(barrier);
  *phases++ = over(0);
  ptx::arrive_expecting(barrier, 256);
  *phases++ = over(0);
  ptx::change_barrier(barrier, [](ptx::barrier_state& state) { state.bytes -= 256; });
  *phases++ = over(0);
  *phases++ = over(1);
}

TEST(Hopper, EndsAPhaseWhenAllHaveArrivedAndAllBytesHaveCome) {
  std::vector<int> phases(5, -1);
  const auto config = shape(1, 4096);
  cudaLaunchKernelEx(&config, count_phases, phases.data());
  EXPECT_EQ(phases, (std::vector<int>{0, 0, 0, 1, 0}));
}

__global__ void copy_boxes(CUtensorMap map, int row, std::uint16_t* out) {
  std::byte* const panel = first_panel();
  auto* const barrier = reinterpret_cast<std::uint64_t*>(panel + 16 * cuda::panel_row_bytes);
  ptx::make_barrier(barrier, 1);
  ptx::arrive_expecting(barrier, 16 * cuda::panel_row_bytes);
  ptx::copy_box(panel, map, 64, row, barrier);
  ptx::wait(barrier, 0);
  for (std::uint32_t r = 0; r < 16; ++r)
    for (std::uint32_t piece = 0; piece < 8; ++piece)
      std::memcpy(out + r * 64 + piece * 8, panel + cuda::panel_offset(r, piece), 16);
}

/// Of a matrix with rows of `columns`, in boxes of so many rows.
CUtensorMap map_of(std::vector<std::uint16_t>& matrix, std::size_t columns, cuuint32_t box_rows) {
  const cuuint64_t sizes[2] = {columns, matrix.size() / columns}, stride = 2 * columns;
  const cuuint32_t boxes[2] = {64, box_rows}, steps[2] = {1, 1};
  CUtensorMap map{};
  EXPECT_EQ(cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, matrix.data(), sizes,
                                   &stride, boxes, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                                   CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                                   CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
            CUDA_SUCCESS);
  return map;
}

TEST(Hopper, CopiesBoxesAsPanelsWithZerosOutside) {
  std::vector<std::uint16_t> matrix(20 * 128), box(16 * 64);
  std::iota(matrix.begin(), matrix.end(), std::uint16_t{1});
  const CUtensorMap map = map_of(matrix, 128, 16);
  const auto config = shape(1, 8192);
  cudaLaunchKernelEx(&config, copy_boxes, map, 10, box.data());
  for (std::size_t r = 0; r < 16; ++r)
    for (std::size_t c = 0; c < 64; ++c)
      ASSERT_EQ(box[r * 64 + c], r + 10 < 20 ? matrix[(r + 10) * 128 + 64 + c] : 0);
}

/// Small whole numbers, which bf16 holds: products are exact.
float number(std::size_t seed) { return static_cast<float>(seed * 7 % 11) - 5; }
std::uint16_t bits(float x) { return static_cast<std::uint16_t>(ptx::bf16_bits(x)); }

void put(std::byte* panel, std::size_t row, std::size_t column, float value) {
  const std::uint16_t half = bits(value);
  std::memcpy(panel +
                  cuda::panel_offset(static_cast<std::uint32_t>(row),
                                     static_cast<std::uint32_t>(column / 8)) +
                  column % 8 * 2,
              &half, 2);
}

float a_at(std::size_t row, std::size_t k) { return number(3 * row + 5 * k); }
float b_at(std::size_t k, std::size_t column) { return number(k + 13 * column + 4); }

/// c = a · b of a [64, 16] from columns 16 .. 31 of a panel and b [16, 128] beside it, as columns
/// from a panel or (transposed) from two panels of 64 columns; a second time with a in registers.
__global__ void multiply(bool transposed, float* out) {
  constexpr std::size_t a_bytes = 64 * cuda::panel_row_bytes, b_panel = 16 * cuda::panel_row_bytes;
  std::byte* const a = first_panel();
  std::byte* const b = a + a_bytes;
  const std::size_t thread = threadIdx.x;
  if (thread < 64)
    for (std::size_t k = 0; k < 16; ++k) put(a, thread, 16 + k, a_at(thread, k));
  for (std::size_t k = 0; k < 16; ++k)
    if (transposed)
      put(b + thread / 64 * b_panel, k, thread % 64, b_at(k, thread));
    else
      put(b, thread, k, b_at(k, thread));
  __syncthreads();
  const std::size_t row = thread / 32 * 16 + thread % 32 / 4, quad = thread % 4 * 2;
  float c[64];
  std::fill_n(c, 64, transposed ? 1.0F : std::numeric_limits<float>::quiet_NaN());
  if (transposed) {
    std::uint32_t left[4];
    for (std::size_t i = 0; i < 4; ++i)
      left[i] = ptx::pack_bf16(a_at(row + i % 2 * 8, quad + i / 2 * 8),
                               a_at(row + i % 2 * 8, quad + i / 2 * 8 + 1));
    ptx::multiply_add_bf16(c, left, cuda::columns_descriptor(ptx::shared_address(b), b_panel));
  } else {
    ptx::multiply_shared_bf16(c, cuda::advanced(cuda::rows_descriptor(ptx::shared_address(a)), 32),
                              cuda::rows_descriptor(ptx::shared_address(b)), false);
  }
  ptx::commit_products();
  ptx::wait_products<0>(c);
  for (std::size_t i = 0; i < 64; ++i)
    out[(row + i / 2 % 2 * 8) * 128 + i / 4 * 8 + quad + i % 2] = c[i];
}

void expect_product(bool transposed) {
  std::vector<float> out(64 * 128);
  const auto config = shape(128, 32 << 10);
  cudaLaunchKernelEx(&config, multiply, transposed, out.data());
  for (std::size_t row = 0; row < 64; ++row)
    for (std::size_t column = 0; column < 128; ++column) {
      float want = transposed ? 1.0F : 0.0F;
      for (std::size_t k = 0; k < 16; ++k) want += a_at(row, k) * b_at(k, column);
      ASSERT_EQ(out[row * 128 + column], want) << row << ", " << column;
    }
}

TEST(Hopper, MultipliesWhatItsDescriptorsTell) { expect_product(false); }

TEST(Hopper, AddsProductsOfRegistersAndARowMajorMatrix) { expect_product(true); }

cudaLaunchConfig_t clusters(unsigned blocks, cudaLaunchAttribute& of) {
  of.id = cudaLaunchAttributeClusterDimension;
  of.val.clusterDim = {2, 1, 1};
  return {blocks, 64, 8192, nullptr, &of, 1};
}

__global__ void count_in_neighbour(bool stays) {
  auto* const barrier = ptx::dynamic_shared<std::uint64_t>();
  if (threadIdx.x == 0) ptx::make_barrier(barrier, 64);
  ptx::arrive_cluster();
  ptx::wait_cluster();
  if (!stays && ptx::number_in_cluster() == 0) return;
  for (int i = 0; i < 10; ++i) __syncthreads();
  ptx::arrive_in(1 - ptx::number_in_cluster(), barrier);
  ptx::arrive_cluster();
  ptx::wait_cluster();
}

TEST(Hopper, LetsBlocksOfAClusterCountAtEachOthersBarriers) {
  cudaLaunchAttribute of{};
  const auto config = clusters(4, of);
  EXPECT_NO_THROW(cudaLaunchKernelEx(&config, count_in_neighbour, true));
}

TEST(Hopper, RefusesTheMemoryOfABlockThatHasReturned) {
  cudaLaunchAttribute of{};
  const auto config = clusters(2, of);
  EXPECT_THROW(cudaLaunchKernelEx(&config, count_in_neighbour, false), std::logic_error);
}

__global__ void count_where_none_was_made() {
  auto* const barrier = ptx::dynamic_shared<std::uint64_t>();
  if (ptx::number_in_cluster() == 0) ptx::make_barrier(barrier, 64);
  if (ptx::number_in_cluster() == 0) ptx::arrive_in(1, barrier);
  ptx::arrive_cluster();
  ptx::wait_cluster();
}

TEST(Hopper, ShowsThatABlockDidNotWaitForItsNeighboursBarriers) {
  cudaLaunchAttribute of{};
  const auto config = clusters(2, of);
  EXPECT_THROW(cudaLaunchKernelEx(&config, count_where_none_was_made), std::logic_error);
}

/// Block 1 brings a box for both; each counts at the other's barrier before it reads.
__global__ void copy_for_both(CUtensorMap map, std::uint16_t* out) {
  std::byte* const panel = first_panel();
  auto* const barrier = reinterpret_cast<std::uint64_t*>(panel + 8 * cuda::panel_row_bytes);
  const std::uint32_t number = ptx::number_in_cluster();
  if (threadIdx.x == 0) {
    ptx::make_barrier(barrier, 2);
    ptx::arrive_expecting(barrier, 8 * cuda::panel_row_bytes);
  }
  ptx::arrive_cluster();
  ptx::wait_cluster();
  if (threadIdx.x == 0 && number == 1) ptx::copy_box_to(3, panel, map, 0, 0, barrier);
  if (threadIdx.x == 0) ptx::arrive_in(1 - number, barrier);
  ptx::wait(barrier, 0);
  std::memcpy(out + (number * 64 + threadIdx.x) * 8,
              panel + cuda::panel_offset(threadIdx.x / 8, threadIdx.x % 8), 16);
  ptx::arrive_cluster();
  ptx::wait_cluster();
}

TEST(Hopper, CopiesABoxToSeveralBlocks) {
  std::vector<std::uint16_t> matrix(8 * 64), out(2 * 8 * 64);
  std::iota(matrix.begin(), matrix.end(), std::uint16_t{1});
  const CUtensorMap map = map_of(matrix, 64, 8);
  cudaLaunchAttribute of{};
  const auto config = clusters(2, of);
  cudaLaunchKernelEx(&config, copy_for_both, map, out.data());
  for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], matrix[i % matrix.size()]) << i;
}

TEST(Hopper, RefusesDescriptorsOfOtherLayouts) {
  EXPECT_THROW(ptx::shared_operand(cuda::rows_descriptor(1024) & ~(std::uint64_t{3} << 62)),
               std::logic_error);
}

} // namespace

} // namespace troupe
