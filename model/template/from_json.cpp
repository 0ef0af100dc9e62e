// The whole value is converted at once: a template visits nearly all of it, and lists and dicts may
// then be changed freely.
#include "model/template/from_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace troupe::jinja {
namespace {

text text_of(runtime& run, std::string_view bytes, origin whose) {
  return make_text(run.budget, bytes, whose == origin::caller);
}

bool is_known_role(std::string_view role) {
  static constexpr std::array<std::string_view, 9> roles = {
      "system",   "developer", "user",  "assistant",    "tool",
      "function", "ipython",   "model", "tool_response"};
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

} // namespace

value from_json(runtime& run, const nlohmann::ordered_json& json, origin whose) {
  const nested level(run.budget, 4);
  switch (json.type()) {
  case nlohmann::json::value_t::boolean:
    return json.get<bool>();
  case nlohmann::json::value_t::number_integer:
    return json.get<std::int64_t>();
  case nlohmann::json::value_t::number_unsigned: {
    const auto whole = json.get<std::uint64_t>();
    if (whole > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      throw fault("an integer in the request does not fit 64 bits with a sign; send it as a text");
    }
    return static_cast<std::int64_t>(whole);
  }
  case nlohmann::json::value_t::number_float:
    return json.get<double>();
  case nlohmann::json::value_t::string:
    return text_of(run, json.get_ref<const std::string&>(), whose);
  case nlohmann::json::value_t::array: {
    std::vector<value> items;
    items.reserve(json.size());
    for (const auto& item : json) items.push_back(from_json(run, item, whose));
    return run.make_list(std::move(items));
  }
  case nlohmann::json::value_t::object: {
    dict* made = run.make_dict();
    run.grow(json.size());
    for (const auto& [key, held] : json.items())
      made->set(text_of(run, key, whose), from_json(run, held, whose));
    return made;
  }
  default:
    return none{};
  }
}

value messages_from_json(runtime& run, const nlohmann::ordered_json& json) {
  value made = from_json(run, json, origin::caller);
  const sequence* messages = as_sequence(made);
  if (!messages) return made;
  const text role = run.make("role");
  for (const value& message : messages->items) {
    dict* entries = as_dict(message);
    const value* held = entries ? entries->find(role) : nullptr;
    const text* spelled = held ? as_text(*held) : nullptr;
    if (spelled && is_known_role(spelled->view())) entries->set(role, run.make(spelled->view()));
  }
  return made;
}

} // namespace troupe::jinja
