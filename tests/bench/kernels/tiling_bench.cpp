// The gated product of a decode batch in tiles of every width: what choose_gated_tile's constants
// rest on. tiling_bench [ROWS...]. Shapes are those of Llama-3.1-8B and 3.2-1B; data is random,
// weights take turns until they exceed the cache, times are medians.
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/gated_matmul.hpp"
#include "kernels/cuda/gated_matmul_plan.hpp"
#include "kernels/cuda/runtime.hpp"
#include "tests/bench/kernels/device_data.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace troupe {
namespace {

using cuda::check;

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
    std::vector<filled> weights;
    const std::int64_t bytes = 2 * of.outputs * of.inner * 2;
    for (std::int64_t i = 0; i < cache_bytes / bytes + 2; ++i)
      weights.emplace_back(*device_, 2 * of.outputs, of.inner);
    const filled x(*device_, rows, of.inner), out(*device_, rows, of.outputs);
    device_->wait();
    for (const std::int32_t width : cuda::gated_tile_widths) {
      std::size_t turn = 0;
      const double taken = seconds([&] {
        multiplier_.run_in_tiles(width, out.view(), x.view(),
                                 weights[turn++ % weights.size()].view(), {});
      });
      fmt::print("{:<14}{:>4} rows in tiles of {:>3}{:>8.2f} us{:>7.2f} TB/s{:>6.0f} TFLOP/s\n",
                 of.name, rows, width, taken * 1e6, static_cast<double>(bytes) / taken / 1e12,
                 4.0 * static_cast<double>(rows * of.outputs * of.inner) / taken / 1e12);
      std::fflush(stdout);
    }
  }

 private:
  /// Of one call, the median of several samples after a warm-up.
  template <class Op>
  double seconds(const Op& op) {
    constexpr int repeats = 16;
    const auto begin = cuda::make_event(), end = cuda::make_event();
    for (int i = 0; i < 4; ++i) op();
    return median_of([&] {
      float taken = 0; // milliseconds
      check(cudaEventRecord(begin.get(), stream_.get()), "cudaEventRecord");
      for (int i = 0; i < repeats; ++i) op();
      check(cudaEventRecord(end.get(), stream_.get()), "cudaEventRecord");
      check(cudaEventSynchronize(end.get()), "cudaEventSynchronize");
      check(cudaEventElapsedTime(&taken, begin.get(), end.get()), "cudaEventElapsedTime");
      return taken * 1e-3 / repeats;
    });
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
