// JSON as a model's files must hold it: one object, no key twice, no deep nesting. A usual parser
// takes the last of two equal keys silently, and then two programs read two different models from
// one file.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace troupe {

/// Parses `text`, which must be an object whose values nest at most `max_depth` deep. `file` is
/// named in the errors (model_error).
nlohmann::json parse_json_object(std::string_view text, const std::string& file,
                                 int max_depth = 32);

} // namespace troupe
