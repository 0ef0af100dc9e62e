// The one way from raw input to a request. Every door comes through here, so that a limit or a
// check cannot hold on one door and be missing on another; nothing behind it sees raw input.
#pragma once

#include "actors/request.hpp"
#include "transport/api/json.hpp"
#include "transport/door_settings.hpp"

#include <chrono>
#include <string_view>
#include <variant>

namespace troupe {

/// Which of OpenAI's two shapes a request and its answer have.
enum class api_shape : std::uint8_t { chat, completions };

/// A checked request and what only its door needs to know of it.
struct parsed_request {
  generate_request request;
  api_shape shape = api_shape::chat;
  bool stream = false;
  bool include_usage = false; ///< a last chunk with the usage, of a stream
};

using parse_result = std::variant<parsed_request, api_error>;

/// The request in an HTTP body; `header_timeout` is X-Request-Timeout, 0 if not sent. The request's
/// id is left empty.
parse_result parse_request(std::string_view body, api_shape shape, const door_settings& settings,
                           std::chrono::milliseconds header_timeout = {});

/// The same for a body that is JSON already.
parse_result parse_request_object(const json& body, api_shape shape, const door_settings& settings,
                                  std::chrono::milliseconds header_timeout = {});

/// A body that must be one JSON object.
std::variant<json, api_error> parse_object(std::string_view body, const request_limits& limits);

} // namespace troupe
