// What settings must be to each other. Each value alone was checked by its option already.
#pragma once

#include "config/builder.hpp"

#include <string>
#include <vector>

namespace troupe {

/// Adds an error for each contradiction between values of `loaded` (it names them, where they come
/// from, and the remedy) and a warning for what works but is seldom meant. Nothing is said of the
/// keys in `refused`: their values are not those that somebody wanted.
void check_together(loaded_settings& loaded, const std::vector<std::string>& refused);

} // namespace troupe
