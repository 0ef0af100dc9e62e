// Conversations. What leaves here is built anew from the checked fields, in the form that chat
// templates expect: content is a string, arguments of tool calls are objects, and nothing that was
// not checked is carried along.
#include "transport/api/json_body.hpp"
#include "transport/api/parse_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {

namespace {

constexpr std::size_t longest_name = 256;
constexpr std::size_t most_tool_calls = 128;

/// The text of one part of a content list, appended.
void add_part(field_reader& fields, const std::string& name, const json& part, std::string& out) {
  if (!part.is_object()) {
    fields.wrong_type(name, "an object");
    return;
  }
  field_reader inner(part, fields.full_name(name));
  const std::string* type = inner.text("type");
  if (inner.ok() && type == nullptr) inner.missing("type");
  if (inner.ok() && *type != "text")
    inner.fail("type",
               fmt::format("'{}' must be 'text'; other content is not supported.",
                           inner.full_name("type")),
               "unsupported_value");
  const std::string* text = inner.text("text");
  if (inner.ok() && text == nullptr) inner.missing("text");
  if (inner.ok())
    out += *text;
  else
    fields.fail(*inner.fault());
}

/// A message's content as one string; nothing where it is absent.
std::optional<std::string> parse_content(field_reader& fields) {
  const json* content = fields.any("content");
  if (content == nullptr) return {};
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) {
    fields.wrong_type("content", "a string or an array of parts");
    return {};
  }
  if (content->empty())
    fields.fail("content", fmt::format("'{}' must not be empty.", fields.full_name("content")),
                "empty_array");
  std::string text;
  for (std::size_t i = 0; i < content->size() && fields.ok(); ++i)
    add_part(fields, fmt::format("content[{}]", i), (*content)[i], text);
  return text;
}

json parse_arguments(field_reader& fields, const json& function, const request_limits& limits) {
  const auto found = function.find("arguments");
  if (found != function.end() && found->is_object()) return *found;
  const std::string* text = fields.text("arguments");
  if (text == nullptr) {
    fields.missing("arguments");
    return {};
  }
  if (text->empty()) return json::object();
  auto parsed = parse_json(*text, limits);
  if (auto* value = std::get_if<json>(&parsed); value != nullptr && value->is_object())
    return std::move(*value);
  fields.fail(
      "arguments",
      fmt::format("'{}' must be a JSON object written as a string.", fields.full_name("arguments")),
      "invalid_value");
  return {};
}

json parse_tool_call(field_reader& fields, const std::string& name, const json& call,
                     const request_limits& limits) {
  if (!call.is_object()) {
    fields.wrong_type(name, "an object");
    return {};
  }
  field_reader outer(call, fields.full_name(name));
  const std::string* id = outer.label("id", longest_name);
  const json* function = outer.object("function");
  if (outer.ok() && function == nullptr) outer.missing("function");
  if (!outer.ok()) {
    fields.fail(*outer.fault());
    return {};
  }
  field_reader inner(*function, outer.full_name("function"));
  const std::string* called = inner.label("name", longest_name);
  if (inner.ok() && called == nullptr) inner.missing("name");
  json arguments = inner.ok() ? parse_arguments(inner, *function, limits) : json();
  if (!inner.ok()) {
    fields.fail(*inner.fault());
    return {};
  }
  json result = {{"type", "function"},
                 {"function", {{"name", *called}, {"arguments", std::move(arguments)}}}};
  if (id != nullptr) result["id"] = *id;
  return result;
}

json parse_tool_calls(field_reader& fields, const request_limits& limits) {
  json calls = json::array();
  const json* given = fields.array("tool_calls", most_tool_calls);
  if (given == nullptr) return calls;
  for (std::size_t i = 0; i < given->size() && fields.ok(); ++i)
    calls.push_back(parse_tool_call(fields, fmt::format("tool_calls[{}]", i), (*given)[i], limits));
  return calls;
}

/// The role as templates know it, or nothing.
std::string parse_role(field_reader& fields) {
  constexpr std::array<std::string_view, 6> known = {"system",    "developer", "user",
                                                     "assistant", "tool",      "function"};
  const std::string* role = fields.text("role");
  if (role == nullptr) {
    fields.missing("role");
    return {};
  }
  if (std::find(known.begin(), known.end(), *role) == known.end()) {
    fields.fail("role",
                fmt::format("'{}' must be one of system, developer, user, assistant, tool.",
                            fields.full_name("role")),
                "invalid_value");
    return {};
  }
  return *role == "developer" ? "system" : *role;
}

json parse_message(field_reader& fields, const request_limits& limits) {
  json out = {{"role", parse_role(fields)}};
  const bool assistant = out["role"] == "assistant";
  auto content = parse_content(fields);
  json calls = assistant ? parse_tool_calls(fields, limits) : json::array();
  if (!content && calls.empty()) fields.missing("content");
  out["content"] = content ? std::move(*content) : std::string();
  if (!calls.empty()) out["tool_calls"] = std::move(calls);
  if (const auto* name = fields.label("name", longest_name)) out["name"] = *name;
  const std::string* call_id = fields.label("tool_call_id", longest_name);
  if (call_id != nullptr)
    out["tool_call_id"] = *call_id;
  else if (out["role"] == "tool")
    fields.missing("tool_call_id");
  if (assistant)
    for (const char* key : {"reasoning_content", "reasoning"})
      if (const auto* thought = fields.text(key)) out["reasoning_content"] = *thought;
  return out;
}

std::string parse_message_list(field_reader& fields, const request_limits& limits) {
  const json* messages = fields.array("messages", limits.messages);
  if (messages == nullptr) {
    fields.missing("messages");
    return {};
  }
  if (messages->empty()) {
    fields.fail("messages", "'messages' must not be empty.", "empty_array");
    return {};
  }
  json checked = json::array();
  for (std::size_t i = 0; i < messages->size() && fields.ok(); ++i) {
    const auto name = fmt::format("messages[{}]", i);
    if (!(*messages)[i].is_object()) {
      fields.wrong_type(name, "an object");
      break;
    }
    field_reader inner((*messages)[i], name);
    checked.push_back(parse_message(inner, limits));
    if (!inner.ok()) fields.fail(*inner.fault());
  }
  return to_text(checked);
}

} // namespace

void parse_conversation(field_reader& fields, const request_limits& limits,
                        std::vector<prompt_input>& out) {
  chat_input chat;
  chat.messages = parse_message_list(fields, limits);
  chat.tools = parse_tools(fields, limits);
  if (const json* variables = fields.object("chat_template_kwargs"))
    chat.template_kwargs = to_text(*variables);
  chat.continue_final_message = fields.boolean("continue_final_message").value_or(false);
  const auto generation_prompt = fields.boolean("add_generation_prompt");
  chat.add_generation_prompt = generation_prompt.value_or(!chat.continue_final_message);
  if (chat.continue_final_message && chat.add_generation_prompt)
    fields.fail("continue_final_message",
                "'continue_final_message' and 'add_generation_prompt' exclude each other.",
                "invalid_value");
  out.emplace_back(std::move(chat));
}

} // namespace troupe
