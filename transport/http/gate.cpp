#include "transport/http/gate.hpp"

#include "transport/api/api_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view key_protocol = "openai-insecure-api-key.";

api_error unauthorized(std::string message, std::string code) {
  return invalid_request(std::move(message), "", std::move(code), 401);
}

/// The key in a WebSocket's offered protocols: browsers can set no other header there.
std::string_view protocol_key(const request_head& head) {
  const std::string* offered = head.find("sec-websocket-protocol");
  if (offered == nullptr) return {};
  const auto at = offered->find(key_protocol);
  if (at == std::string::npos) return {};
  const auto begin = at + key_protocol.size();
  return std::string_view(*offered).substr(begin, offered->find_first_of(", ", begin) - begin);
}

std::optional<api_error> check_key(const request_head& head, const key_ring& keys) {
  constexpr std::string_view scheme = "Bearer ";
  if (head.count("authorization") > 1 || head.count("x-api-key") > 1)
    return unauthorized("More than one API key was sent.", "");
  std::string_view presented;
  if (const std::string* authorization = head.find("authorization")) {
    if (authorization->compare(0, scheme.size(), scheme) != 0)
      return unauthorized("The Authorization header must read 'Bearer KEY'.", "");
    presented = std::string_view(*authorization).substr(scheme.size());
  } else if (const std::string* key = head.find("x-api-key")) {
    presented = *key;
  } else if (presented = protocol_key(head); presented.empty()) {
    return unauthorized("An API key is required: send 'Authorization: Bearer KEY'.", "");
  }
  if (keys.admits(presented)) return {};
  return unauthorized("The API key is not valid.", "invalid_api_key");
}

std::optional<api_error> check_body_type(const request_head& head) {
  if (const auto* encoding = head.find("content-encoding");
      encoding != nullptr && to_lower(*encoding) != "identity")
    return invalid_request("Content-Encoding is not supported; send the body as it is.", "",
                           "unsupported_encoding", 415);
  const std::string* type = head.find("content-type");
  if (type == nullptr) return {};
  std::string essence = to_lower(std::string_view(*type).substr(0, type->find(';')));
  essence.erase(essence.find_last_not_of(" \t") + 1);
  if (essence == "application/json") return {};
  return invalid_request("The Content-Type must be application/json.", "", "unsupported_media_type",
                         415);
}

std::optional<api_error> check_expectation(const request_head& head, admission_slip& slip) {
  const std::string* expect = head.find("expect");
  if (expect == nullptr) return {};
  if (to_lower(*expect) != "100-continue")
    return invalid_request("The only expectation that can be met is 100-continue.", "",
                           "expectation_failed", 417);
  slip.wants_continue =
      head.minor_version == 1 && (head.chunked || head.content_length.value_or(0) > 0);
  return {};
}

std::optional<api_error> check_timeout(const request_head& head, const door_settings& settings,
                                       admission_slip& slip) {
  const std::string* text = head.find("x-request-timeout");
  if (text == nullptr) return {};
  std::int64_t milliseconds = 0;
  const auto [rest, error] =
      std::from_chars(text->data(), text->data() + text->size(), milliseconds);
  if (error != std::errc() || rest != text->data() + text->size() || milliseconds < 1 ||
      milliseconds > settings.max_request_timeout.count())
    return invalid_request(
        fmt::format("'X-Request-Timeout' must be a number of milliseconds from 1 to {}.",
                    settings.max_request_timeout.count()),
        "X-Request-Timeout", "invalid_value");
  slip.timeout = std::chrono::milliseconds(milliseconds);
  return {};
}

bool is_preflight(const request_head& head, const door_settings& settings) {
  return head.method == "OPTIONS" && !settings.cors_origin.empty();
}

std::optional<api_error> check_method(const request_head& head, admission_slip& slip) {
  const bool read = slip.where->method == "GET" && (head.method == "GET" || head.method == "HEAD");
  if (read || head.method == slip.where->method) return {};
  slip.allow = allowed_methods(*slip.where);
  return invalid_request(
      fmt::format("This path does not serve that method; it serves {}.", slip.allow), "",
      "method_not_supported", 405);
}

} // namespace

admission_slip pass_gate(const request_head& head, const key_ring& keys,
                         const door_settings& settings) {
  admission_slip slip;
  slip.where = find_route(head.path);
  const bool has_body = head.chunked || head.content_length.value_or(0) > 0;
  if (is_preflight(head, settings)) {
    slip.preflight = true;
    return slip;
  }
  if (!keys.open() && (slip.where == nullptr || !slip.where->open))
    slip.error = check_key(head, keys);
  if (slip.error) return slip;
  if (slip.where == nullptr) {
    slip.error = invalid_request("There is nothing at this path.", "", "unknown_url", 404);
    return slip;
  }
  slip.upgrade = slip.where->what == endpoint::stream;
  slip.error = check_method(head, slip);
  if (!slip.error && slip.where->method == "POST") slip.error = check_body_type(head);
  if (!slip.error && slip.where->method == "GET" && has_body)
    slip.error = invalid_request("This path takes no body.", "", "invalid_value");
  if (!slip.error) slip.error = check_expectation(head, slip);
  if (!slip.error) slip.error = check_timeout(head, settings, slip);
  return slip;
}

std::string usable_request_id(const request_head& head) {
  constexpr std::size_t longest = 128;
  const std::string* given = head.find("x-request-id");
  if (given == nullptr || given->empty() || given->size() > longest) return {};
  const bool safe = std::all_of(given->begin(), given->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return safe ? *given : std::string();
}

} // namespace troupe
