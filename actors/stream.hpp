// One continuation from its prompt to its end. It holds prompt and emitted tokens, so that it can
// go on in another engine when its own dies, and ends when its sequence does or its reader's
// session does.
//
//   session < delta, finished -   stream - enqueue, cancel, park, resume > scheduler
//           - more, abandon >            < tokens -
//                                        - locate_engine > supervisor
//                                        < engine_up -
#pragma once

#include "actors/interfaces.hpp"
#include "actors/logic/continuation.hpp"
#include "actors/logic/sequence_times.hpp"
#include "actors/stream_setup.hpp"

#include <memory>
#include <optional>

namespace troupe {

struct stream_state {
  std::unique_ptr<continuation> text;
  stream_setup setup;
  caf::actor scheduler; // null while the stream has no engine
  std::uint64_t incarnation = 0;
  std::uint64_t pause = 0; // counts the times that the reader stood still
  bool pausing = false;
  bool parked = false;
  std::optional<sequence_times> times;
};

stream_actor::behavior_type stream(stream_actor::stateful_pointer<stream_state> self,
                                   stream_setup setup);

} // namespace troupe
