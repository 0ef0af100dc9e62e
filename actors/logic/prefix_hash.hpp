// Keys of the prefix cache: SHA-256 over the chain (model, salt, tokens block by block).
// Cryptographic, because keys cross tenants: whoever could make two prefixes collide would read
// another's answers. A key names a whole prefix, not a block.
#pragma once

#include "config/sampling.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>

namespace troupe {

using prefix_key = std::array<std::uint8_t, 32>;

/// The key of the empty prefix. Equal only for equal model and equal salt.
prefix_key root_key(std::string_view model, std::string_view salt);

/// The key of a prefix that is `tokens` longer.
prefix_key extend_key(const prefix_key& prefix, std::span<const token_id> tokens);

/// The key is uniform already; its first bytes serve as the hash.
struct prefix_key_hash {
  std::size_t operator()(const prefix_key& key) const {
    std::size_t out;
    std::memcpy(&out, key.data(), sizeof out);
    return out;
  }
};

} // namespace troupe
