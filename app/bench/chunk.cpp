#include "app/bench/chunk.hpp"

#include "app/bench/json_scan.hpp"
#include "config/text.hpp"

#include <nlohmann/json.hpp>

namespace troupe {
namespace {

using nlohmann::json;

constexpr std::size_t longest_message = 300;
constexpr int deepest_message = 16; // what lies deeper in an answer is left out

std::string spelled(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void read_delta(std::string_view delta, chunk_facts& out) {
  json_members members(delta);
  while (members.next()) {
    const std::string_view name = members.name();
    if (name == "content" || name == "reasoning_content" || name == "reasoning")
      out.content = out.content || is_filled_string(members.value());
    else if (name == "tool_calls")
      out.content = out.content || !first_element(members.value()).empty();
  }
}

void read_choice(std::string_view choice, chunk_facts& out) {
  if (choice.empty()) return;
  out.choice = true;
  json_members members(choice);
  while (members.next()) {
    if (members.name() == "text")
      out.content = out.content || is_filled_string(members.value());
    else if (members.name() == "delta")
      read_delta(members.value(), out);
    else if (members.name() == "finish_reason")
      out.finish = is_filled_string(members.value());
  }
}

std::optional<counted_usage> read_usage(std::string_view text) {
  const json usage = json::parse(text, nullptr, false);
  if (!usage.is_object()) return std::nullopt;
  const auto count = [](const json& object, const char* name) -> std::optional<std::uint64_t> {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
    return found->get<std::uint64_t>();
  };
  const auto completion = count(usage, "completion_tokens");
  const auto prompt = count(usage, "prompt_tokens");
  if (!completion || !prompt) return std::nullopt;
  counted_usage out{*prompt, *completion, 0};
  const auto details = usage.find("prompt_tokens_details");
  if (details != usage.end() && details->is_object())
    out.cached = count(*details, "cached_tokens").value_or(0);
  return out;
}

std::string message_in(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_object()) return value.is_null() ? std::string() : spelled(value);
  for (const char* name : {"error", "message", "detail"})
    if (const auto found = value.find(name); found != value.end()) return message_in(*found);
  return spelled(value);
}

} // namespace

chunk_facts read_chunk(std::string_view text) {
  chunk_facts out;
  json_members members(text);
  std::string_view error;
  while (members.next()) {
    const std::string_view name = members.name();
    if (name == "choices")
      read_choice(first_element(members.value()), out);
    else if (name == "usage" && members.value().front() == '{')
      out.usage = read_usage(members.value());
    else if (name == "error" && members.value() != "null")
      error = members.value();
  }
  out.sound = members.sound();
  if (!error.empty()) out.error = message_of_error(error);
  return out;
}

std::string message_of_error(std::string_view body) {
  const auto shallow = [](int depth, json::parse_event_t, json&) {
    return depth <= deepest_message;
  };
  const json parsed = json::parse(body, shallow, false);
  std::string message = parsed.is_discarded() ? std::string(body) : message_in(parsed);
  while (!message.empty() && (message.back() == '\n' || message.back() == '\r')) message.pop_back();
  return printable(message, longest_message);
}

} // namespace troupe
