// Maps by which Hopper's copy engine finds boxes of a matrix, made once for each.
#pragma once

#include "kernels/tensor.hpp"

#include <cstdint>
#include <cuda.h>
#include <map>
#include <tuple>

namespace troupe::cuda {

class tensor_maps {
 public:
  /// Boxes of 64 columns and so many rows (at most 256), which come as panels (shared_matrix.cuh).
  /// The matrix is bf16 or f16, its data aligned to 16 bytes, its columns a multiple of 8. Valid as
  /// long as this lives. Throws device_error where the driver makes none.
  const CUtensorMap& of(const matrix& matrix, std::int32_t box_rows);

 private:
  using key = std::tuple<void*, dtype, std::int64_t, std::int64_t, std::int32_t>;
  std::map<key, CUtensorMap> maps_;
};

} // namespace troupe::cuda
