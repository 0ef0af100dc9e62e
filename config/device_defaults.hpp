// What suits a device where the operator left it open. A processor is busy with few sequences and
// shares its memory with others; a GPU wants many rows a step and is there for this alone.
#pragma once

#include "config/settings.hpp"

namespace troupe {

/// Fills in max_sequences, step_tokens and memory_fraction where they are 0. Of the first two, what
/// is filled in never contradicts what was set: step_tokens >= max_sequences.
engine_settings fitted_to_device(engine_settings chosen, bool gpu);

} // namespace troupe
