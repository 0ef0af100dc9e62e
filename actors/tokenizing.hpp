// Workers of the pool for what takes a while and needs no state: rendering and tokenizing. Each
// does one piece of work and ends. Whatever is thrown ends in an answer: nobody waits for a worker
// that died.
#pragma once

#include "actors/front_model.hpp"
#include "actors/interfaces.hpp"

#include <caf/event_based_actor.hpp>

#include <memory>

namespace troupe {

/// Answers admission with prompt_prepared.
void prepare_prompts(caf::event_based_actor* self, submit request,
                     std::shared_ptr<const front_model> model, admission_actor admission);

/// Answer the client with tokenized or refused.
void tokenize_text(caf::event_based_actor* self, tokenize question,
                   std::shared_ptr<const front_model> model);
void detokenize_ids(caf::event_based_actor* self, detokenize question,
                    std::shared_ptr<const front_model> model);

} // namespace troupe
