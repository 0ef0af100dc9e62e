// All that a stream is made of: what its request says, resolved with what the model says.
#pragma once

#include "actors/front_model.hpp"
#include "actors/interfaces.hpp"
#include "actors/journal.hpp"
#include "actors/logic/continuation.hpp"

#include <chrono>
#include <memory>

namespace troupe {

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

/// The part that follows from the request alone: all but the times' defaults, the engine and the
/// other actors. `seed` is used where the request has none.
stream_setup setup_of(const prompt_prepared& request, std::uint32_t choice, sequence_id id,
                      std::uint64_t seed, const front_model& model);

} // namespace troupe
