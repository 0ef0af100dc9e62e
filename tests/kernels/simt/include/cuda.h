// Stands in for the driver's header: maps of 2-D tensors, as far as kernels/cuda uses them.
#pragma once

#include <cstddef>
#include <cstdint>

using cuuint32_t = std::uint32_t;
using cuuint64_t = std::uint64_t;

enum CUresult { CUDA_SUCCESS = 0, CUDA_ERROR_INVALID_VALUE = 1 };
enum CUtensorMapDataType {
  CU_TENSOR_MAP_DATA_TYPE_FLOAT16 = 6,
  CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 = 9
};
enum CUtensorMapInterleave { CU_TENSOR_MAP_INTERLEAVE_NONE = 0 };
enum CUtensorMapSwizzle { CU_TENSOR_MAP_SWIZZLE_NONE = 0, CU_TENSOR_MAP_SWIZZLE_128B = 3 };
enum CUtensorMapL2promotion { CU_TENSOR_MAP_L2_PROMOTION_L2_256B = 3 };
enum CUtensorMapFloatOOBfill { CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE = 0 };

/// Of 16-bit elements, in boxes whose rows are 128 bytes, swizzled.
struct alignas(64) CUtensorMap {
  const std::byte* data;
  std::uint64_t columns, rows, row_bytes;
  std::uint32_t box_columns, box_rows;
  std::uint64_t unused[11];
};
static_assert(sizeof(CUtensorMap) == 128);

/// Refuses what the driver refuses.
inline CUresult cuTensorMapEncodeTiled(CUtensorMap* map, CUtensorMapDataType, cuuint32_t rank,
                                       void* data, const cuuint64_t* sizes,
                                       const cuuint64_t* strides, const cuuint32_t* box,
                                       const cuuint32_t* steps, CUtensorMapInterleave,
                                       CUtensorMapSwizzle swizzle, CUtensorMapL2promotion,
                                       CUtensorMapFloatOOBfill) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && strides[0] % 16 == 0;
  const bool sized = sizes[0] > 0 && sizes[1] > 0 && sizes[0] < std::uint64_t{1} << 32 &&
                     sizes[1] < std::uint64_t{1} << 32 && strides[0] >= 2 * sizes[0];
  const bool boxed = box[0] == 64 && box[1] > 0 && box[1] <= 256 && steps[0] == 1 && steps[1] == 1;
  if (rank != 2 || !aligned || !sized || !boxed || swizzle != CU_TENSOR_MAP_SWIZZLE_128B)
    return CUDA_ERROR_INVALID_VALUE;
  *map = {static_cast<const std::byte*>(data), sizes[0], sizes[1], strides[0], box[0], box[1], {}};
  return CUDA_SUCCESS;
}
