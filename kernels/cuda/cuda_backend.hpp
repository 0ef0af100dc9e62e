// The ops on an NVIDIA GPU (Ampere, Ada, Hopper). Activations, weights and pages are bf16 or f16,
// sums f32. This is the only header of the folder for others to include.
#pragma once

#include "kernels/ops.hpp"

#include <filesystem>
#include <memory>

namespace troupe {

struct cuda_options {
  dtype type = dtype::bf16;   ///< of activations, weights and pages: bf16 or f16
  bool deterministic = false; ///< results have the same bits in every batch; products of many rows
                              ///< are slower
  std::filesystem::path cache = {}; ///< folder that keeps what tuning found out; empty: none does
};

/// GPUs that there are; 0 where there is no driver, or no code for the first of them.
int cuda_devices();

/// The first of them. Where a kernel made it fail for good it is reset first, which ends whatever
/// backend there was before. Throws device_error where there is none, it can't be used,
/// or is of a kind that the program has no code for.
std::unique_ptr<backend> make_cuda_backend(const cuda_options& options);

} // namespace troupe
