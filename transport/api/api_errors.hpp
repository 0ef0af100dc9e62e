// The refusals of the doors and how every error is written. Clients branch on status, type, param
// and code, in OpenAI's words; the messages are ours and never carry an exception's text, a path or
// an address.
#pragma once

#include "actors/request.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// 400, or another status, of type invalid_request_error.
api_error invalid_request(std::string message, std::string param, std::string code,
                          int status = 400);
/// 503 of type service_unavailable_error with a second to wait.
api_error unavailable(std::string message, std::string code);
/// 500 of type server_error.
api_error internal_error(std::string message);

/// {"message", "type", "param", "code"}, absent ones null.
std::string error_object(const api_error& error);
/// {"error": error_object}.
std::string error_body(const api_error& error);

} // namespace troupe
