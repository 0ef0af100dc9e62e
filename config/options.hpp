// The table of everything that can be set.
#pragma once

#include "config/option.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// All groups in the order in which help and documentation show them. Built anew on each call: a
/// program asks for it once or twice, at its start.
std::vector<option_group> option_groups();

/// The same options in the same order, without their groups.
std::vector<option> all_options();

/// The option called `key` ("engine.threads"). Throws std::out_of_range: for keys written in the
/// program.
const option& find_option(const std::vector<option>& options, std::string_view key);

} // namespace troupe
