// The server: from settings to a running process.
#pragma once

#include "config/settings.hpp"

namespace troupe {

/// Serves until it is told to stop. `chosen` is checked and names a model. Returns the exit status:
/// 0 after an orderly stop, 1 after a failure.
int run_serve(const settings& chosen);

} // namespace troupe
