// What a client may say on a WebSocket: text frames with one JSON object each.
#pragma once

#include "transport/api/parse_request.hpp"
#include "transport/door_settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace troupe {

/// {"type": "chat.create" | "completion.create", "id", "credit"?, and the fields of the POST body}.
struct create_message {
  std::string id;
  std::optional<std::uint32_t> credit;
  parsed_request parsed;
};
/// {"type": "cancel", "id"}.
struct cancel_message {
  std::string id;
};
/// {"type": "credit", "id", "n"}.
struct credit_message {
  std::string id;
  std::uint32_t deltas = 0;
};
/// {"type": "ping"}.
struct ping_message {};
/// What is none of these, and why.
struct bad_message {
  std::string id; ///< where it could be read
  api_error error;
};

using client_message =
    std::variant<create_message, cancel_message, credit_message, ping_message, bad_message>;

client_message parse_client_message(std::string_view text, const door_settings& settings);

} // namespace troupe
