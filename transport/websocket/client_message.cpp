#include "transport/websocket/client_message.hpp"

#include "transport/api/field_reader.hpp"

#include <utility>

namespace troupe {

namespace {

constexpr std::size_t longest_id = 128;
constexpr std::int64_t most_credit = 1'000'000;

client_message parse_create(json& body, field_reader& fields, std::string id, api_shape shape,
                            const door_settings& settings) {
  const auto credit = fields.integer("credit", 0, most_credit);
  if (!fields.ok()) return bad_message{std::move(id), *fields.fault()};
  body["stream"] = true;
  auto parsed = parse_request_object(body, shape, settings);
  if (auto* error = std::get_if<api_error>(&parsed))
    return bad_message{std::move(id), std::move(*error)};
  create_message message{std::move(id), {}, std::move(std::get<parsed_request>(parsed))};
  if (credit) message.credit = static_cast<std::uint32_t>(*credit);
  return message;
}

} // namespace

client_message parse_client_message(std::string_view text, const door_settings& settings) {
  auto object = parse_object(text, settings.limits);
  if (auto* error = std::get_if<api_error>(&object)) return bad_message{{}, std::move(*error)};
  json& body = std::get<json>(object);
  field_reader fields(body);
  const std::string* type = fields.text("type");
  if (fields.ok() && type == nullptr) fields.missing("type");
  if (fields.ok() && *type == "ping") return ping_message{};
  const std::string* given = fields.label("id", longest_id);
  if (fields.ok() && (given == nullptr || given->empty())) fields.missing("id");
  if (!fields.ok()) return bad_message{{}, *fields.fault()};
  std::string id = *given;
  if (*type == "chat.create")
    return parse_create(body, fields, std::move(id), api_shape::chat, settings);
  if (*type == "completion.create")
    return parse_create(body, fields, std::move(id), api_shape::completions, settings);
  if (*type == "cancel") return cancel_message{std::move(id)};
  if (*type == "credit") {
    const auto deltas = fields.integer("n", 1, most_credit);
    if (fields.ok() && !deltas) fields.missing("n");
    if (fields.ok()) return credit_message{std::move(id), static_cast<std::uint32_t>(*deltas)};
  } else {
    fields.fail("type", "'type' must be chat.create, completion.create, cancel, credit or ping.",
                "invalid_value");
  }
  return bad_message{std::move(id), *fields.fault()};
}

} // namespace troupe
