// Every way to cut the products of a decode batch, timed beside the one that the plan takes: what
// the plan's constants rest on. tiling_bench [ROWS...]. Shapes are those of Llama-3.1-8B
// and 3.2-1B; data is random, weights take turns until they exceed the cache, times are medians.
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/gated_matmul.hpp"
#include "kernels/cuda/gated_matmul_plan.hpp"
#include "kernels/cuda/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace troupe {
namespace {

using cuda::check;

constexpr std::int64_t cache_bytes = 256 << 20; // more than any device's cache

struct product {
  const char* name;
  std::int64_t outputs, inner;
};

constexpr std::array products{product{"Llama-3.1-8B", 14336, 4096},
                              product{"Llama-3.2-1B", 8192, 2048}};

class bench {
 public:
  bench() : device_(make_cuda_backend({dtype::bf16, false, {}})), multiplier_(stream_.get()) {}

  void run(const product& of, std::int64_t rows) {
    std::vector<memory> weights;
    const std::int64_t bytes = 2 * of.outputs * of.inner * 2;
    for (std::int64_t i = 0; i < cache_bytes / bytes + 2; ++i) weights.push_back(filled(bytes));
    const memory x = filled(rows * of.inner * 2), out = filled(rows * of.outputs * 2);
    for (const std::int32_t width : cuda::gated_tile_widths) {
      std::size_t turn = 0;
      const double taken = seconds([&] {
        multiplier_.run_in_tiles(
            width, {out.get(), dtype::bf16, rows, of.outputs},
            {x.get(), dtype::bf16, rows, of.inner},
            {weights[turn++ % weights.size()].get(), dtype::bf16, 2 * of.outputs, of.inner}, {});
      });
      fmt::print("{:<14}{:>4} rows in tiles of {:>3}{:>8.2f} us{:>7.2f} TB/s{:>6.0f} TFLOP/s\n",
                 of.name, rows, width, taken * 1e6, static_cast<double>(bytes) / taken / 1e12,
                 4.0 * static_cast<double>(rows * of.outputs * of.inner) / taken / 1e12);
      std::fflush(stdout);
    }
  }

 private:
  memory filled(std::int64_t bytes) {
    static const std::vector<std::uint32_t> words = [] {
      std::mt19937 random(1);
      std::vector<std::uint32_t> made(std::size_t{4} << 20);
      for (auto& word : made) word = (random() & 0x81FF81FFU) | 0x3E003E00U;
      return made;
    }();
    const auto size = static_cast<std::size_t>(bytes);
    memory made = device_->allocate(size);
    for (std::size_t at = 0; at < size; at += 4 * words.size())
      device_->upload(made.get() + at, words.data(), std::min(size - at, 4 * words.size()));
    device_->wait();
    return made;
  }

  /// Of one call, the median of several samples after a warm-up.
  template <class Op>
  double seconds(const Op& op) {
    constexpr int repeats = 16;
    const auto begin = cuda::make_event(), end = cuda::make_event();
    for (int i = 0; i < 4; ++i) op();
    std::array<float, 5> taken{};
    for (float& sample : taken) {
      check(cudaEventRecord(begin.get(), stream_.get()), "cudaEventRecord");
      for (int i = 0; i < repeats; ++i) op();
      check(cudaEventRecord(end.get(), stream_.get()), "cudaEventRecord");
      check(cudaEventSynchronize(end.get()), "cudaEventSynchronize");
      check(cudaEventElapsedTime(&sample, begin.get(), end.get()), "cudaEventElapsedTime");
    }
    std::ranges::sort(taken);
    return taken[2] * 1e-3 / repeats;
  }

  std::unique_ptr<backend> device_;
  cuda::owned_stream stream_ = cuda::make_stream();
  cuda::gated_matmul multiplier_;
};

int run(std::vector<std::int64_t> rows) {
  if (cuda_devices() == 0) {
    fmt::print("there is no GPU\n");
    return 1;
  }
  if (rows.empty()) rows = {64, 128, 192, 256};
  bench on;
  for (const product& of : products)
    for (const std::int64_t count : rows) on.run(of, count);
  return 0;
}

} // namespace
} // namespace troupe

int main(int argc, char** argv) {
  std::vector<std::int64_t> rows;
  for (int i = 1; i < argc; ++i) rows.push_back(std::atoll(argv[i]));
  return troupe::run(rows);
}
