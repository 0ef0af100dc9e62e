// The rotary frequencies of a model: a pure function of its settings, computed once at load.
#pragma once

#include "model/architecture.hpp"

#include <vector>

namespace troupe {

/// inverse_frequencies[i] is the angle that dimensions i and i + head_dim / 2 turn by from one
/// position to the next.
struct rope_frequencies {
  std::vector<float> inverse_frequencies; ///< [head_dim / 2]
  float attention_factor = 1.0F;          ///< multiplies sin and cos
};

rope_frequencies make_rope_frequencies(const rope_settings& rope, std::int32_t head_dim);

} // namespace troupe
