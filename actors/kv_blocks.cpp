#include "actors/kv_blocks.hpp"

#include <caf/all.hpp>

namespace troupe {

kv_blocks_actor::behavior_type kv_blocks(kv_blocks_actor::stateful_pointer<kv_blocks_state> self,
                                         std::uint32_t blocks, std::uint32_t block_tokens,
                                         std::string model, telemetry_actor telemetry) {
  self->state.pool = std::make_unique<block_pool>(blocks, block_tokens, std::move(model));
  self->send(telemetry, kv_report{self->state.pool->stats(), 0});
  return {
      [self, telemetry](const kv_work& work) {
        auto replies = self->state.pool->serve(work.requests);
        self->send(telemetry, kv_report{replies.stats, self->mailbox().size()});
        if (work.requests.extended.empty() && work.requests.leased.empty()) return;
        self->send(caf::actor_cast<scheduler_actor>(self->current_sender()),
                   kv_settled{std::move(replies)});
      },
  };
}

} // namespace troupe
