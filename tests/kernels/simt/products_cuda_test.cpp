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

} // namespace

} // namespace troupe
