// An architecture written as the config.json that its family is read from, and the
// generation_config.json beside it.
#pragma once

#include "model/architecture.hpp"

#include <string>

namespace troupe {

/// Spelled so that older and newer readers understand it (torch_dtype, rope_scaling). `type` is
/// that of the weights. Throws std::invalid_argument for a family that it does not know.
std::string config_json(const architecture& model, dtype type);

/// Plain sampling at temperature 1.
std::string generation_config_json(const architecture& model);

} // namespace troupe
