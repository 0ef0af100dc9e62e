// Owns the bookkeeping of the KV cache: who has which block, and which blocks can be shared. It is
// asked several steps ahead, so that no step ever waits for it.
//
//   scheduler - kv_work > kv_blocks - kv_report > telemetry
//             < kv_settled -
#pragma once

#include "actors/interfaces.hpp"
#include "actors/logic/block_pool.hpp"

#include <memory>

namespace troupe {

struct kv_blocks_state {
  std::unique_ptr<block_pool> pool;
};

kv_blocks_actor::behavior_type kv_blocks(kv_blocks_actor::stateful_pointer<kv_blocks_state> self,
                                         std::uint32_t blocks, std::uint32_t block_tokens,
                                         std::string model, telemetry_actor telemetry);

} // namespace troupe
