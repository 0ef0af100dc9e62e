// The pages that keys and values live in: one allocation for all layers, cut into blocks of
// block_tokens tokens. Which block belongs to whom is decided elsewhere.
#pragma once

#include "kernels/ops.hpp"
#include "model/architecture.hpp"

#include <vector>

namespace troupe {

/// Pages of `blocks` blocks in every layer, of the backend's activation type.
class kv_cache {
 public:
  /// Throws device_error where the memory is not there, std::invalid_argument where a size is not
  /// positive.
  kv_cache(backend& device, const architecture& model, std::int32_t blocks,
           std::int32_t block_tokens);

  const kv_pages& layer(std::int32_t index) const {
    return layers_[static_cast<std::size_t>(index)];
  }
  std::int32_t blocks() const { return blocks_; }
  std::int32_t block_tokens() const { return block_tokens_; }

  /// Bytes that one block takes in all layers.
  static std::uint64_t block_bytes(const architecture& model, dtype type,
                                   std::int32_t block_tokens);

 private:
  std::int32_t blocks_;
  std::int32_t block_tokens_;
  memory owner_;
  std::vector<kv_pages> layers_;
};

} // namespace troupe
