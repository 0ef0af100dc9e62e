#include "kernels/cuda/tensor_map.hpp"

#include "kernels/cuda/runtime.hpp"

#include <fmt/format.h>

namespace troupe::cuda {

namespace {

using encoder = decltype(&cuTensorMapEncodeTiled);

/// The driver's function, found at run time so that the program starts where there is no driver.
encoder find_encoder() {
  constexpr unsigned since = 12000; // CUDA 12.0
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, since,
                                         cudaEnableDefault, &found),
        "cudaGetDriverEntryPointByVersion");
  if (found != cudaDriverEntryPointSuccess || function == nullptr)
    throw device_error("cuda: the driver has no cuTensorMapEncodeTiled");
  return reinterpret_cast<encoder>(function);
}

CUtensorMap make_map(const matrix& matrix, std::int32_t box_rows) {
  const cuuint64_t sizes[2] = {static_cast<cuuint64_t>(matrix.cols),
                               static_cast<cuuint64_t>(matrix.rows)};
  const cuuint64_t row_bytes = sizes[0] * size_of(matrix.type);
  const cuuint32_t box[2] = {64, static_cast<cuuint32_t>(box_rows)};
  const cuuint32_t steps[2] = {1, 1};
  CUtensorMap map;
  const CUresult result =
      find_encoder()(&map,
                     matrix.type == dtype::bf16 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
                                                : CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
                     2, matrix.data, sizes, &row_bytes, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                     CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                     CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS)
    throw device_error(fmt::format("cuda: cuTensorMapEncodeTiled of [{}, {}] in boxes of {} rows "
                                   "failed with error {}",
                                   matrix.rows, matrix.cols, box_rows, static_cast<int>(result)));
  return map;
}

} // namespace

const CUtensorMap& tensor_maps::of(const matrix& matrix, std::int32_t box_rows) {
  const key of{matrix.data, matrix.type, matrix.rows, matrix.cols, box_rows};
  const auto found = maps_.find(of);
  if (found != maps_.end()) return found->second;
  return maps_.emplace(of, make_map(matrix, box_rows)).first->second;
}

} // namespace troupe::cuda
