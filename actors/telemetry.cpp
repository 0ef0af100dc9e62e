#include "actors/telemetry.hpp"

#include <caf/all.hpp>

namespace troupe {

telemetry_actor::behavior_type telemetry(telemetry_actor::stateful_pointer<telemetry_state> self) {
  const auto add = [self](const auto& what) {
    if (self->state.counted) self->state.counted->add(what);
  };
  return {
      [self](const metrics_facts& facts) {
        self->state.counted = std::make_unique<metrics>(facts);
        self->state.gpus = facts.gpus;
      },
      [add](const step_report& what) { add(what); },
      [add](const kv_report& what) { add(what); },
      [add](const sequence_report& what) { add(what); },
      [add](const token_gaps& what) { add(what); },
      [add](const cancel_report& what) { add(what); },
      [add](const refusal_report& what) { add(what); },
      [add](const restart_report& what) { add(what); },
      [add](const http_report& what) { add(what); },
      [self](const scrape& question) {
        metrics_text out{question.tag, {}};
        if (self->state.counted) {
          self->state.counted->mailbox("telemetry", self->mailbox().size());
          if (self->state.gpus)
            for (const auto& gpu : self->state.gpus->read()) self->state.counted->add(gpu);
          out.text = self->state.counted->text();
        }
        caf::anon_send(question.client, std::move(out));
      },
  };
}

} // namespace troupe
