// One continuation from its prompt to its end. It holds prompt and emitted tokens, so that it can go on in another
// engine when its own dies, and ends when its sequence does or its reader's session does.
//
//   session < delta, finished -   stream - enqueue, cancel, park, resume > scheduler
//           - more, abandon >            < tokens -
//                                        - locate_engine > supervisor
//                                        < engine_up -
#pragma once

#include "actors/interfaces.hpp"
#include "actors/journal.hpp"
#include "actors/logic/continuation.hpp"
#include "model/tokenizer/tokenizer.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace troupe {

/// All that a stream is made of.
struct stream_setup {
  request_ptr request;
  request_tag tag = 0;
  std::uint32_t choice = 0;
  caf::actor client;
  sequence_spec spec;
  continuation_rules rules;
  text_source text;
  std::shared_ptr<const tokenizer> words; ///< for the spellings of reported tokens
  std::chrono::milliseconds timeout{};    ///< from the request's arrival; 0 for none
  std::chrono::milliseconds slow_reader_timeout{};
  engine_up engine;
  admission_actor admission;
  supervisor_actor supervisor;
  telemetry_actor telemetry;
  journal tell;
};

struct stream_state {
  std::unique_ptr<continuation> text;
  stream_setup setup;
  caf::actor scheduler; // null while the stream has no engine
  std::uint64_t incarnation = 0;
  std::uint64_t pause = 0; // counts the times that the reader stood still
  bool pausing = false;
  bool parked = false;
  std::vector<float> gaps; // seconds between tokens
  clock_time scheduled;
  clock_time first_token;
  clock_time last_token;
};

stream_actor::behavior_type stream(stream_actor::stateful_pointer<stream_state> self, stream_setup setup);

} // namespace troupe
