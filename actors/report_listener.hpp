// Takes telemetry's place where somebody measures instead of looking at metrics: hands on what is
// said of each step and each sequence, and passes over the rest.
//
//   everybody - reports > report_listener - step_report, sequence_report > whoever listens
#pragma once

#include "actors/interfaces.hpp"

namespace troupe {

telemetry_actor::behavior_type report_listener(telemetry_actor::pointer self, caf::actor listens);

} // namespace troupe
