// The one JSON type of the doors: objects keep the order in which the client wrote them, because
// chat templates print tools as they were given.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace troupe {

using json = nlohmann::ordered_json;

/// Compact JSON text. Bytes that are not UTF-8 become U+FFFD.
inline std::string to_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// A JSON string literal with its quotes.
inline std::string quoted_json(std::string_view text) { return to_text(json(text)); }

} // namespace troupe
