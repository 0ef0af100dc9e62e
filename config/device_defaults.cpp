#include "config/device_defaults.hpp"

#include <algorithm>

namespace troupe {

engine_settings fitted_to_device(engine_settings chosen, bool gpu) {
  if (chosen.max_sequences == 0) {
    chosen.max_sequences = gpu ? 1024 : 256;
    if (chosen.step_tokens > 0)
      chosen.max_sequences = std::min(chosen.max_sequences, chosen.step_tokens);
  }
  if (chosen.step_tokens == 0)
    chosen.step_tokens = std::max<std::uint32_t>(gpu ? 8192 : 2048, chosen.max_sequences);
  if (chosen.memory_fraction == 0) chosen.memory_fraction = gpu ? 0.9 : 0.5;
  return chosen;
}

} // namespace troupe
