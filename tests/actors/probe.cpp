#include "tests/actors/probe.hpp"

#include "actors/interfaces.hpp"

#include <caf/all.hpp>

namespace troupe::testing {
namespace {

template <class... Messages>
caf::behavior keeping(const std::shared_ptr<std::deque<std::any>>& mail) {
  return {[mail](const Messages& what) { mail->emplace_back(what); }...};
}

} // namespace

probe::probe(caf::actor_system& system) : mail_{std::make_shared<mail>()} {
  handle_ = system.spawn([kept = mail_](caf::event_based_actor*) -> caf::behavior {
    return keeping<submit, refused, accepted, delta, finished, more, abandon, tokenized,
                   model_description, health, metrics_text, stream_started, prompt_prepared,
                   enqueue, cancel_sequence, park_sequence, resume_sequence, tokens, run_step,
                   step_done, kv_work, kv_settled, engine_up, locate_engine, progressed, drained,
                   step_report, kv_report, sequence_report, token_gaps, cancel_report,
                   refusal_report, restart_report, http_report>(kept);
  });
}

} // namespace troupe::testing
