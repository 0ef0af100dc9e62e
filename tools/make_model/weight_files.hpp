// Where each tensor stands in which safetensors file: decided before anything is written, so that
// threads can write anywhere at once and the room that is needed is known at the start.
#pragma once

#include "kernels/tensor.hpp"
#include "tools/make_model/parameters.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

struct placed_tensor {
  std::size_t parameter = 0; ///< index into the parameters
  std::uint64_t offset = 0;  ///< of its first byte in the file
};

struct weight_file {
  std::string name;
  std::string header; ///< the file's beginning: the length and the JSON behind it
  std::vector<placed_tensor> tensors;
  std::uint64_t bytes = 0; ///< the whole file's
};

/// One model.safetensors, or shards with at most `shard_bytes` of tensors each (a tensor that is
/// larger has one of its own).
std::vector<weight_file> plan_weight_files(const std::vector<parameter>& parameters, dtype type,
                                           std::uint64_t shard_bytes);

/// The model.safetensors.index.json of several files.
std::string index_json(const std::vector<weight_file>& files,
                       const std::vector<parameter>& parameters, dtype type);

} // namespace troupe
