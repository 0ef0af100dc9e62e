// An executor that says what its script says, at once or after a while, and does not compute. It
// keeps the slot table of model/step.hpp and dies where a plan does not fit it.
#pragma once

#include "actors/interfaces.hpp"
#include "tests/system/script.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <unordered_map>

namespace troupe {

struct scripted_behavior {
  std::shared_ptr<const script> words;
  std::chrono::microseconds step_time{0};
  std::optional<std::uint64_t> poisoned_seed; ///< the slot of a request with it throws
  std::uint32_t poisoned_after = 0;           ///< when it has said so many tokens
  std::uint64_t lifetime = 0;                 ///< it dies in the step after so many; 0: never
};

struct scripted_slot {
  sequence_id sequence = 0;
  std::uint64_t seed = 0;
  std::uint64_t state = 0;
  std::uint32_t prompt = 0; // tokens
  std::uint32_t known = 0;  // tokens, those said included
  std::int32_t logprobs = -1;
  bool failed = false;
};

struct scripted_state {
  std::unordered_map<slot_id, scripted_slot> slots;
  std::uint64_t steps = 0;
};

executor_actor::behavior_type
scripted_executor(executor_actor::stateful_pointer<scripted_state> self,
                  scripted_behavior behavior);

} // namespace troupe
