// The company on one page: every actor's handle and, line by line, what it understands. Nothing
// here answers in CAF's request/response sense; an answer is a message of its own to the actor
// named in the question, so that no one ever waits for somebody who died.
//
//   client - session - submit > admission - spawns > stream - enqueue > scheduler - kv_work >
//   kv_blocks
//      ^        ^                                     | ^                | ^  < kv_settled
//      |        '--- accepted, delta, finished -------' '--- tokens -----' |
//      '--------------- bytes                                run_step > executor > step_done
//
//                 supervisor starts, watches and restarts the engine; everybody reports to
//                 telemetry
#pragma once

#include "actors/engine_messages.hpp"
#include "actors/messages.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

template <class Signature>
struct understands;
template <class Message>
struct understands<void(Message)> {
  using type = typename caf::reacts_to<Message>;
};
/// A handle to an actor that takes these messages and answers none of them directly.
template <class... Signatures>
using actor_of = caf::typed_actor<typename understands<Signatures>::type...>;

using admission_actor =
    actor_of<void(submit),          // run a request, or refuse it before any work is done
             void(tokenize),        // text or conversation to token ids
             void(detokenize),      // token ids to text
             void(describe_model),  // what is served
             void(model_ready),     // from the composition: the model is loaded, requests may come
             void(engine_up),       // from the supervisor: where streams enqueue from now on
             void(prompt_prepared), // from a worker: a request's prompts as token ids, or why not
             void(stream_started),  // from a stream: its first token is there
             void(drain)>;          // refuse what comes, tell when the last stream has ended

using stream_actor =
    actor_of<void(tokens),    // from the scheduler: what a step brought
             void(engine_up), // from the supervisor: enqueue here from now on
             void(more),      // from the session: credit for further deltas
             void(abandon),   // from the session: the client does not want it any more
             void(deadline),  // to itself: the request's time is over
             void(too_slow)>; // to itself: the reader has not read for too long

using scheduler_actor = actor_of<void(enqueue),         // a sequence to generate
                                 void(cancel_sequence), // forget it
                                 void(park_sequence),   // its reader is slow: free its blocks
                                 void(resume_sequence), // its reader is back
                                 void(kv_settled),      // from kv_blocks: leases granted and denied
                                 void(step_done)>;      // from the executor: a step's tokens

using kv_blocks_actor =
    actor_of<void(kv_work)>; // from the scheduler: lease, extend, publish, release

using executor_actor = actor_of<void(run_step),    // from the scheduler: compute a step
                                void(look_again)>; // to itself: is a step done?

using supervisor_actor =
    actor_of<void(start_engine), // from the composition: how to make an engine, and that it is time
             void(locate_engine),   // from a stream whose engine died
             void(loading),         // from the loader: how far it is
             void(load_failed),     // from the loader: it is over
             void(progressed),      // from the scheduler: a step was made
             void(check_health),    // from a session
             void(drain),           // from the composition: not ready any more
             void(restart_engine),  // to itself: the pause after a death is over
             void(check_progress)>; // to itself: is anything stuck?

using telemetry_actor =
    actor_of<void(metrics_facts),   // from the composition: the model is loaded
             void(step_report),     // from the scheduler: a step
             void(kv_report),       // from kv_blocks: the cache as it stands
             void(sequence_report), // from a stream: it ended
             void(token_gaps),      // from a stream: times between its tokens
             void(cancel_report),   // from the scheduler: a cancelled sequence's blocks are back
             void(refusal_report),  // from admission: a request was refused
             void(restart_report),  // from the supervisor: the engine was started again
             void(http_report),     // from a session: an answer was given
             void(scrape)>;         // from a session: the metrics as text

} // namespace troupe
