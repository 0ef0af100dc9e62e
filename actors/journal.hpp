// What actors tell people: a line with a component, a sentence and its values. Where lines go is
// the composition's business; here it is a function that may be called from any thread.
#pragma once

#include "config/settings.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

using journal_values = std::vector<std::pair<std::string, std::string>>;
using journal = std::function<void(log_level, std::string_view component, std::string_view sentence,
                                   journal_values)>;

} // namespace troupe
