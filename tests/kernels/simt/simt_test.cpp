// The interpreter itself: kernels that are right give what a GPU gives, and planted faults show.
#include <gtest/gtest.h>

#include <cuda_runtime.h>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace {

cudaLaunchConfig_t shape(unsigned blocks, unsigned threads, std::size_t shared_bytes = 0) {
  return {blocks, threads, shared_bytes, nullptr, nullptr, 0};
}

/// Sums each block's part of `values` through shared memory; leaves out barriers where told.
__global__ void sum_parts(const int* values, int* sums, bool with_barriers) {
  __shared__ int left[64];
  left[threadIdx.x] = values[blockIdx.x * blockDim.x + threadIdx.x];
  for (unsigned step = blockDim.x / 2; step > 0; step /= 2) {
    if (with_barriers) __syncthreads();
    if (threadIdx.x < step) left[threadIdx.x] += left[threadIdx.x + step];
  }
  if (with_barriers) __syncthreads();
  if (threadIdx.x == 0) sums[blockIdx.x] = left[0];
}

std::vector<int> sums_of(bool with_barriers) {
  std::vector<int> values(256), sums(4, -1);
  std::iota(values.begin(), values.end(), 0);
  const auto config = shape(4, 64);
  cudaLaunchKernelEx(&config, sum_parts, values.data(), sums.data(), with_barriers);
  return sums;
}

TEST(Simt, RunsThreadsBetweenBarriers) {
  EXPECT_EQ(sums_of(true), (std::vector<int>{2016, 6112, 10208, 14304}));
}

TEST(Simt, ShowsThatABarrierIsMissing) {
  EXPECT_NE(sums_of(false), (std::vector<int>{2016, 6112, 10208, 14304}));
}

__global__ void sum_warps(const float* values, float* sums) {
  float sum = values[threadIdx.x];
  for (int bits = 16; bits > 0; bits /= 2) sum += __shfl_xor_sync(0xFFFFFFFF, sum, bits);
  const unsigned odd = __ballot_sync(0xFFFFFFFF, threadIdx.x % 2 == 1);
  if (threadIdx.x % 32 == 7) sums[threadIdx.x / 32] = odd == 0xAAAAAAAA ? sum : -1;
}

TEST(Simt, ExchangesValuesWithinAWarp) {
  std::vector<float> values(96), sums(3, -1);
  std::iota(values.begin(), values.end(), 0.0F);
  const auto config = shape(1, 96);
  cudaLaunchKernelEx(&config, sum_warps, values.data(), sums.data());
  EXPECT_EQ(sums, (std::vector<float>{496, 1520, 2544}));
}

__global__ void lose_half() {
  if (threadIdx.x < 16)
    __syncwarp();
  else
    __syncthreads();
}

TEST(Simt, SaysWhereThreadsWaitForEver) {
  const auto config = shape(1, 32);
  try {
    cudaLaunchKernelEx(&config, lose_half);
    FAIL() << "it came to an end";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("0 at a barrier of its warp"), std::string::npos)
        << error.what();
  }
}

__global__ void leave_early(int* out) {
  if (threadIdx.x >= 40) return;
  __syncthreads();
  atomicAdd(out, 1);
}

TEST(Simt, WaitsForNobodyWhoHasReturned) {
  int count = 0;
  const auto config = shape(3, 64);
  cudaLaunchKernelEx(&config, leave_early, &count);
  EXPECT_EQ(count, 120);
}

__global__ void fail_in_one(int which) {
  if (threadIdx.x == static_cast<unsigned>(which)) throw std::runtime_error("planted");
}

TEST(Simt, HandsOnWhatAThreadThrows) {
  const auto config = shape(2, 8);
  EXPECT_THROW(cudaLaunchKernelEx(&config, fail_in_one, 5), std::runtime_error);
  cudaLaunchKernelEx(&config, fail_in_one, 8); // and goes on
}

__global__ void hand_over(int* out) {
  static thread_local int left;
  auto& block = simt::block::current();
  if (threadIdx.x < 32) {
    if (threadIdx.x == 7) left = 5;
    block.arrive(1, 64);
  } else {
    block.sync(1, 64);
    atomicAdd(out, left);
  }
}

TEST(Simt, LetsSomeArriveWhereOthersWait) {
  int sum = 0;
  const auto config = shape(2, 64);
  cudaLaunchKernelEx(&config, hand_over, &sum);
  EXPECT_EQ(sum, 2 * 32 * 5);
}

__global__ void wait_for_background(int* out, bool ever) {
  auto& block = simt::block::current();
  if (threadIdx.x == 0 && ever) block.in_background([out] { *out = 1; });
  block.wait_until([out] { return *out == 1; }, "the background");
  atomicAdd(out + 1, 1);
}

TEST(Simt, WorksInTheBackgroundWhileThreadsWait) {
  int done[2] = {0, 0};
  const auto config = shape(1, 40);
  EXPECT_THROW(cudaLaunchKernelEx(&config, wait_for_background, done, false), std::logic_error);
  cudaLaunchKernelEx(&config, wait_for_background, done, true);
  EXPECT_EQ(done[1], 40);
}

__global__ void leave_a_copy(int* out) {
  simt::block::current().in_background([out] { *out = 1; });
}

TEST(Simt, ShowsThatABlockEndsBeforeItsCopies) {
  int done = 0;
  const auto config = shape(1, 1);
  EXPECT_THROW(cudaLaunchKernelEx(&config, leave_a_copy, &done), std::logic_error);
}

__global__ void put_off(int* out) {
  auto& block = simt::block::current();
  block.later([out] { *out += 1; });
  block.commit_later();
  block.later([out] { *out *= 10; }, simt::block::products);
  block.commit_later(simt::block::products);
  block.settle_later(0, simt::block::products);
  block.settle_later(0);
}

TEST(Simt, KeepsCopiesAndProductsInTheirOwnLines) {
  int value = 3;
  const auto config = shape(1, 1);
  cudaLaunchKernelEx(&config, put_off, &value);
  EXPECT_EQ(value, 31);
}

TEST(Simt, PoisonsMemory) {
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, 8), cudaSuccess);
  EXPECT_TRUE(std::isnan(static_cast<float*>(memory)[1]));
  cudaFree(memory);
}

TEST(Simt, RefusesMemoryThatNobodyHas) {
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, std::size_t{1} << 50), cudaErrorMemoryAllocation);
}

} // namespace
