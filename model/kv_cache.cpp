// Layer by layer, keys then values, so that one layer's attention walks one stretch of memory.
#include "model/kv_cache.hpp"

#include "model/checked.hpp"

#include <stdexcept>

namespace troupe {

std::uint64_t kv_cache::block_bytes(const architecture& model, dtype type,
                                    std::int32_t block_tokens) {
  return kv_bytes_per_token(model, type) * static_cast<std::uint64_t>(block_tokens);
}

kv_cache::kv_cache(backend& device, const architecture& model, std::int32_t blocks,
                   std::int32_t block_tokens)
    : blocks_(blocks), block_tokens_(block_tokens) {
  if (blocks < 1 || block_tokens < 1)
    throw std::invalid_argument("a KV cache needs at least one block of one token");
  const dtype type = device.activation_type();
  const auto total =
      checked_product(block_bytes(model, type, block_tokens), static_cast<std::uint64_t>(blocks));
  if (!total) throw std::invalid_argument("the KV cache's size exceeds 64 bits");
  owner_ = device.allocate(*total);
  const std::int64_t rows = std::int64_t{blocks} * block_tokens;
  const std::int64_t cols = std::int64_t{model.kv_heads} * model.head_dim;
  const std::size_t half = static_cast<std::size_t>(rows * cols) * size_of(type);
  std::byte* at = owner_.get();
  for (std::int32_t i = 0; i < model.layers; ++i, at += 2 * half)
    layers_.push_back({{at, type, rows, cols}, {at + half, type, rows, cols}, block_tokens});
}

} // namespace troupe
