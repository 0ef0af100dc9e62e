// The public models whose shape a random one may have. A shape is an architecture as the reader of
// config.json would give it, so that nothing about a family is said twice.
#pragma once

#include "model/architecture.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct model_shape {
  std::string name; ///< "llama-3.1-8b"
  architecture model;
};

/// Every shape, families together and small ones first.
std::vector<model_shape> all_shapes();

/// The shape of this name, in any case of letters. Throws std::invalid_argument: with all names and
/// the nearest where there is none, or saying that a mixture of experts is not served.
architecture find_shape(std::string_view name);

} // namespace troupe
