#include "actors/report_listener.hpp"

#include <caf/all.hpp>

namespace troupe {

telemetry_actor::behavior_type report_listener(telemetry_actor::pointer, caf::actor listens) {
  return {
      [](const metrics_facts&) {},
      [listens](const step_report& what) { caf::anon_send(listens, what); },
      [](const kv_report&) {},
      [listens](const sequence_report& what) { caf::anon_send(listens, what); },
      [](const token_gaps&) {},
      [](const cancel_report&) {},
      [](const refusal_report&) {},
      [](const restart_report&) {},
      [](const http_report&) {},
      [](const scrape& question) {
        caf::anon_send(question.client, metrics_text{question.tag, {}});
      },
  };
}

} // namespace troupe
