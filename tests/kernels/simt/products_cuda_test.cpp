// What only the CUDA backend does around products: the library's where it was not made to be
// deterministic, any number of blocks, weights brought nearer.
#include "kernels/cuda/cuda_backend.hpp"
#include "tests/kernels/device.hpp"
#include "tests/kernels/simt/block.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

TEST(CudaProducts, GatesTheLibrarysProductOfManyRows) {
  const auto device = make_cuda_backend({dtype::bf16, false});
  constexpr std::int64_t rows = 19, width = 24, k = 40;
  const device_matrix x(*device, rows, k, random_floats(rows * k, 1));
  const auto weight =
      load_weight(*device, random_floats(2 * width * k, 2, 0.3F), 2 * width, k, dtype::bf16);
  const auto bias = load_vector(*device, random_floats(2 * width, 3));
  const device_matrix out(*device, rows, width), scratch(*device, rows, 2 * width);
  device->gated_matmul(out.view(), x.view(), weight.view, bias.view, scratch.view());
  const auto both = reference::matmul(x.values(), weight.values, bias.values, rows, 2 * width, k);
  reference::doubles want;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < width; ++i)
      want.push_back(reference::silu(both[row * 2 * width + i]) *
                     both[row * 2 * width + width + i]);
  expect_close(out.read(), want, tolerance(*device), 4);
}

/// What is asked for while an op runs, in order of the addresses.
class prefetches {
 public:
  prefetches() { simt::prefetched = &asked_; }
  prefetches(const prefetches&) = delete;
  prefetches& operator=(const prefetches&) = delete;
  ~prefetches() { simt::prefetched = nullptr; }

  /// Takes them: bytes from `weight` on without a gap and an overlap; -1 where there is one.
  std::int64_t bytes_of(const matrix& weight) {
    std::ranges::sort(asked_);
    const auto* at = static_cast<const std::byte*>(weight.data);
    for (const auto& [from, bytes] : std::exchange(asked_, {})) {
      if (from != at) return -1;
      at += bytes;
    }
    return at - static_cast<const std::byte*>(weight.data);
  }

 private:
  std::vector<std::pair<const std::byte*, std::uint32_t>> asked_;
};

/// A backend, a weight to announce, and what small ops need.
struct announcing {
  explicit announcing(const cuda_tuning& tuning)
      : device(make_cuda_backend(
            {.type = dtype::bf16, .deterministic = false, .cache = {}, .tuning = tuning})),
        weight(load_weight(*device, random_floats(n * k, 1), n, k, dtype::bf16)),
        scales(load_vector(*device, random_floats(k, 2))) {}

  void norm(std::int64_t rows) const {
    const device_matrix x(*device, rows, k, random_floats(static_cast<std::size_t>(rows * k), 3));
    device->add_rms_norm(x.view(), x.view(), {}, scales.view, 1e-5F);
  }
  void product(std::int64_t rows) const {
    const device_matrix x(*device, rows, k, random_floats(static_cast<std::size_t>(rows * k), 3));
    const device_matrix out(*device, rows, n);
    device->matmul(out.view(), x.view(), weight.view, {});
  }

  static constexpr std::int64_t n = 1300, k = 40, bytes = n * k * 2;
  std::unique_ptr<backend> device;
  device_weight weight;
  device_weight scales;
};

TEST(CudaProducts, SmallKernelsBringTheAnnouncedWeightNearerOnce) {
  const announcing on({});
  prefetches seen;
  on.norm(1);
  EXPECT_EQ(seen.bytes_of(on.weight.view), 0);
  on.device->announce(on.weight.view);
  on.norm(2);
  EXPECT_EQ(seen.bytes_of(on.weight.view), announcing::bytes);
  on.norm(2);
  EXPECT_EQ(seen.bytes_of(on.weight.view), 0);
}

TEST(CudaProducts, BringNoMoreOfAWeightNearerThanTuned) {
  const announcing on({.prefetch_bytes = 50000});
  prefetches seen;
  on.device->announce(on.weight.view);
  on.norm(1);
  EXPECT_EQ(seen.bytes_of(on.weight.view), 50000);
}

TEST(CudaProducts, BringNothingNearerForManyRows) {
  const announcing on({});
  prefetches seen;
  on.device->announce(on.weight.view);
  on.norm(17);
  on.norm(1);
  EXPECT_EQ(seen.bytes_of(on.weight.view), 0);
}

} // namespace

} // namespace troupe
