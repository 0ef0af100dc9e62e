// JSON to the engine's values, every text marked with whose it is.
#pragma once

#include "model/template/runtime.hpp"

#include <nlohmann/json_fwd.hpp>

namespace troupe::jinja {

enum class origin : std::uint8_t { trusted, caller };

value from_json(runtime& run, const nlohmann::ordered_json& json, origin whose);
/// The `messages` of a conversation: as from_json for the caller, but known roles are trusted.
value messages_from_json(runtime& run, const nlohmann::ordered_json& json);

} // namespace troupe::jinja
