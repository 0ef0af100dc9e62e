// Counts what everybody reports and shows it.
//
//   everybody - reports > telemetry
//   session   - scrape >
//             < metrics_text -
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metrics.hpp"

#include <memory>

namespace troupe {

struct telemetry_state {
  std::unique_ptr<metrics> counted;
  std::shared_ptr<gpu_monitor> gpus; // null where no GPU computes
};

telemetry_actor::behavior_type telemetry(telemetry_actor::stateful_pointer<telemetry_state> self);

} // namespace troupe
