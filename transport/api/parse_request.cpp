#include "transport/api/parse_request.hpp"

#include "transport/api/api_errors.hpp"
#include "transport/api/json_body.hpp"
#include "transport/api/parse_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe {

namespace {

void parse_stream(field_reader& fields, parsed_request& out) {
  out.stream = fields.boolean("stream").value_or(false);
  const json* options = fields.object("stream_options");
  if (options == nullptr) return;
  if (!out.stream)
    fields.fail("stream_options", "'stream_options' is only allowed when 'stream' is true.",
                "invalid_value");
  field_reader inner(*options, "stream_options");
  out.include_usage = inner.boolean("include_usage").value_or(false);
  if (!inner.ok()) fields.fail(*inner.fault());
}

void tighten_timeout(std::chrono::milliseconds header, const door_settings& settings,
                     field_reader& fields, generate_request& out) {
  if (header.count() == 0) return;
  if (header.count() < 0 || header > settings.max_request_timeout) {
    fields.fail("X-Request-Timeout",
                fmt::format("'X-Request-Timeout' must be between 1 and {} milliseconds.",
                            settings.max_request_timeout.count()),
                "invalid_value");
    return;
  }
  out.timeout = out.timeout.count() == 0 ? header : std::min(out.timeout, header);
}

} // namespace

parse_result parse_request_object(const json& body, api_shape shape, const door_settings& settings,
                                  std::chrono::milliseconds header_timeout) {
  parsed_request out;
  out.shape = shape;
  field_reader fields(body);
  parse_labels(fields, settings, out.request);
  if (shape == api_shape::chat)
    parse_conversation(fields, settings.limits, out.request.prompts);
  else
    parse_prompts(fields, settings.limits, out.request.prompts);
  parse_sampling(fields, settings.limits, out.request);
  parse_ending(fields, settings.limits, shape, out.request);
  parse_reports(fields, settings.limits, shape, out.request);
  parse_stream(fields, out);
  tighten_timeout(header_timeout, settings, fields, out.request);
  refuse_unserved(fields);
  if (!fields.ok()) return *fields.fault();
  return out;
}

parse_result parse_request(std::string_view body, api_shape shape, const door_settings& settings,
                           std::chrono::milliseconds header_timeout) {
  auto parsed = parse_object(body, settings.limits);
  if (auto* error = std::get_if<api_error>(&parsed)) return std::move(*error);
  return parse_request_object(std::get<json>(parsed), shape, settings, header_timeout);
}

std::variant<json, api_error> parse_object(std::string_view body, const request_limits& limits) {
  if (body.empty())
    return invalid_request("The request has no body; a JSON object is expected.", "",
                           "invalid_json");
  auto parsed = parse_json(body, limits);
  if (auto* fault = std::get_if<json_fault>(&parsed))
    return invalid_request(
        fmt::format("We could not parse the JSON body of your request: it {}.", fault->reason), "",
        fault->too_large ? "array_above_max_length" : "invalid_json");
  json& value = std::get<json>(parsed);
  if (!value.is_object())
    return invalid_request("The request's body must be a JSON object.", "", "invalid_type");
  return std::move(value);
}

} // namespace troupe
