// What actors tell goes into the log.
#pragma once

#include "actors/journal.hpp"
#include "app/log.hpp"

namespace troupe {

journal journal_of(const logger& log);

} // namespace troupe
