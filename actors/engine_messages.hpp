// The messages behind the front: between streams and an engine's scheduler, kv_blocks and executor,
// and to the supervisor and telemetry. An engine lives and dies as a whole; its lives are counted,
// and whatever an earlier life sent late is recognised by its incarnation and ignored.
#pragma once

#include "actors/logic/kv_requests.hpp"
#include "actors/logic/sequence.hpp"
#include "actors/logic/sequence_times.hpp"
#include "actors/messages.hpp"
#include "kernels/gpu_monitor.hpp"
#include "model/step.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

class front_model;

// Around admission.

/// The model is loaded: requests may come.
struct model_ready {
  std::shared_ptr<const front_model> model;
};
/// One prompt as the model gets it.
struct ready_prompt {
  std::string text;
  std::shared_ptr<const token_ids> ids;
};
/// A worker rendered and tokenized a request's prompts, or found why it can't be served
/// (error.message not empty).
struct prompt_prepared {
  submit request;
  std::vector<ready_prompt> prompts;
  api_error error;
};
/// A stream's first token is there: it waits no longer.
struct stream_started {
  std::uint64_t stream = 0; ///< its sequence's id
};
/// The request's time is over.
struct deadline {};
/// The reader took nothing for too long; counts the pauses, so that an old one is recognised.
struct too_slow {
  std::uint64_t pause = 0;
};

// Streams and the scheduler.

/// Generate this sequence. Answered by `tokens` until one of them carries an end.
struct enqueue {
  sequence_spec spec;
  caf::actor stream;
};
/// The stream needs no more of it. Nothing comes back.
struct cancel_sequence {
  sequence_id sequence = 0;
};
/// The reader is too slow: give its blocks away, keep its place.
struct park_sequence {
  sequence_id sequence = 0;
};
/// The reader is back.
struct resume_sequence {
  sequence_id sequence = 0;
};
/// What a step brought one sequence.
struct tokens {
  std::uint64_t incarnation = 0;
  emission what;
};

// Inside the engine.

/// Compute this. Answered by `step_done`, in the order of the plans. One receiver takes each by
/// reference: nothing is copied.
struct run_step {
  step_plan plan;
};
struct step_done {
  step_result result;
};
/// Is the oldest step under way done?
struct look_again {};
/// What kv_blocks shall do, all of a step in one message. Answered by `kv_settled` where something
/// was asked.
struct kv_work {
  kv_requests requests;
};
struct kv_settled {
  kv_replies replies;
};

// The engine's life.

/// The actors of one engine, all of one incarnation.
struct engine_members {
  caf::actor scheduler;
  caf::actor kv_blocks;
  caf::actor executor;
};
/// Makes a new engine; throws where it can't.
using engine_maker = std::function<engine_members(std::uint64_t incarnation)>;
/// The model is loaded: start the engine, and start it again when it dies. Admission is told of
/// each by `engine_up`.
struct start_engine {
  engine_maker make;
  caf::actor admission;
};
/// The pause after a death is over.
struct restart_engine {};
/// Has the engine made progress?
struct check_progress {};

/// An engine is there: enqueue with this scheduler. Without one: there will be none any more.
struct engine_up {
  std::uint64_t incarnation = 0;
  caf::actor scheduler;
};
/// Where is the engine? Answered by `engine_up` as soon as there is one. Whoever asks because an
/// engine died under it says which: the supervisor may hear of that death later than the asker, and
/// must not send it back there.
struct locate_engine {
  caf::actor asker;
  std::uint64_t after = 0; ///< an incarnation that is dead for certain
};
/// The engine made a step: proof of progress for the health check.
struct progressed {
  clock_time at;
  bool idle = false; ///< nothing is left to do
};
/// How far the model is loaded.
struct loading {
  std::string stage;
  std::uint64_t bytes = 0;
  std::uint64_t total_bytes = 0;
};
/// It could not be loaded, or the engine could not be kept alive.
struct load_failed {
  std::string reason;
};
/// Finish what runs, refuse what comes. Answered with `drained` when nothing is left.
struct drain {
  caf::actor asker;
};
struct drained {};

// To telemetry.

/// What the metrics say of the server once and for all; from the composition, when the model is
/// loaded.
struct metrics_facts {
  std::string model_name;
  std::uint32_t max_context = 0;
  std::uint32_t block_tokens = 0;
  std::uint32_t blocks = 0;
  bool prefix_cache = true;
  std::shared_ptr<gpu_monitor> gpus; ///< read at each scrape; null where none computes here
};

/// One step, from the scheduler.
struct step_report {
  std::uint32_t running = 0;
  std::uint32_t waiting = 0;
  std::uint32_t batch_tokens = 0;   ///< rows computed
  std::uint32_t sampled_tokens = 0; ///< that belong to sequences
  std::uint32_t preemptions = 0;    ///< since the report before
  double device_seconds = 0;
  double gap_seconds = 0;
  double scheduler_seconds = 0; ///< the scheduler's own time for it
  std::size_t mailbox = 0;
};
/// The cache as it stands, from kv_blocks.
struct kv_report {
  kv_stats stats;
  std::size_t mailbox = 0;
};
/// One sequence ended, from its stream.
struct sequence_report {
  finish_reason reason = finish_reason::stop;
  token_usage usage;
  std::uint32_t max_tokens = 0;
  std::uint32_t n = 1;
  sequence_durations times;
};
/// Gaps between a sequence's tokens, some at a time.
struct token_gaps {
  std::vector<float> seconds;
};
/// A sequence was cancelled; so long after, its blocks were given back.
struct cancel_report {
  double to_free_seconds = 0;
};
/// A request was refused at the door.
struct refusal_report {
  std::string code;
};
/// The engine was started again.
struct restart_report {
  std::uint64_t incarnation = 0;
};
/// An HTTP answer was given.
struct http_report {
  std::string handler; ///< the route's name, never the raw path
  std::string method;
  int status = 0;
  double seconds = 0;
};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::enqueue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cancel_sequence)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::park_sequence)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::resume_sequence)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::tokens)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_step)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::step_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::look_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::kv_work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::kv_settled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::engine_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::locate_engine)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::progressed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::loading)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::load_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::drained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::step_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::kv_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::sequence_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::token_gaps)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cancel_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::refusal_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::restart_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::http_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::model_ready)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::prompt_prepared)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::stream_started)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::deadline)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::too_slow)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::start_engine)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::restart_engine)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::check_progress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::metrics_facts)
