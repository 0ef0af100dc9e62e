// Runs the batch scheduler: after every message it sends what the logic has decided, steps first.
//
//   stream - enqueue, cancel, park, resume > scheduler - run_step > executor
//          < tokens -                                  < step_done -
//                                          scheduler - kv_work > kv_blocks
//                                                    < kv_settled -
#pragma once

#include "actors/interfaces.hpp"
#include "actors/logic/batch_scheduler.hpp"

#include <deque>
#include <memory>
#include <unordered_map>

namespace troupe {

/// Whom a scheduler works with.
struct scheduler_company {
  kv_blocks_actor kv_blocks;
  executor_actor executor;
  supervisor_actor supervisor;
  telemetry_actor telemetry;
};

struct scheduler_state {
  std::unique_ptr<batch_scheduler> logic;
  scheduler_company company;
  std::unordered_map<sequence_id, caf::actor> streams;
  std::unordered_map<caf::actor_addr, sequence_id> sequences;
  std::unordered_map<sequence_id, clock_time> cancelled; // when; until their blocks are given back
  struct sent_step {
    std::uint32_t rows = 0;
    bool after_rest = false; // there was nothing to do before it
  };
  std::deque<sent_step> sent; // and not done
  bool resting = true;
  std::uint32_t sampled = 0;     // tokens sent to streams and not reported yet
  std::uint64_t preemptions = 0; // told telemetry
  std::uint64_t incarnation = 0;
  bool idle = true; // as the supervisor was told
};

scheduler_actor::behavior_type scheduler(scheduler_actor::stateful_pointer<scheduler_state> self,
                                         scheduler_limits limits, std::uint64_t incarnation,
                                         scheduler_company company);

} // namespace troupe
