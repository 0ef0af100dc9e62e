#include "transport/api/api_errors.hpp"

#include "transport/api/json.hpp"

#include <utility>

namespace troupe {

namespace {

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

} // namespace

api_error invalid_request(std::string message, std::string param, std::string code, int status) {
  api_error error;
  error.status = status;
  error.message = std::move(message);
  error.param = std::move(param);
  error.code = std::move(code);
  return error;
}

api_error unavailable(std::string message, std::string code) {
  api_error error;
  error.status = 503;
  error.type = "service_unavailable_error";
  error.message = std::move(message);
  error.code = std::move(code);
  error.retry_after = 1;
  return error;
}

api_error internal_error(std::string message) {
  api_error error;
  error.status = 500;
  error.type = "server_error";
  error.message = std::move(message);
  error.code = "internal_error";
  return error;
}

std::string error_object(const api_error& error) {
  return to_text(json{{"message", error.message},
                      {"type", error.type},
                      {"param", or_null(error.param)},
                      {"code", or_null(error.code)}});
}

std::string error_body(const api_error& error) { return "{\"error\":" + error_object(error) + "}"; }

} // namespace troupe
