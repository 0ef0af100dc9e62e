// Whom the doors talk to. One of the two files of transport that know the actors' handles; the
// other is the companion.
#pragma once

#include "actors/interfaces.hpp"

namespace troupe {

struct front {
  admission_actor admission;
  supervisor_actor supervisor;
  telemetry_actor telemetry;
};

} // namespace troupe
