// Tool definitions: shown to the model by its template. The choice whether to call is the model's;
// forcing it needs constrained decoding, which is not served, so it is refused by name.
#include "transport/api/parse_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

namespace {

constexpr std::size_t longest_tool_name = 64;
constexpr std::size_t longest_description = 64U << 10U;

bool well_named(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= longest_tool_name &&
         std::all_of(name.begin(), name.end(), allowed);
}

void check_tool(field_reader& outer) {
  const std::string* type = outer.text("type");
  if (outer.ok() && type == nullptr) outer.missing("type");
  if (outer.ok() && *type != "function")
    outer.fail("type", fmt::format("'{}' must be 'function'.", outer.full_name("type")),
               "invalid_value");
  const json* function = outer.object("function");
  if (outer.ok() && function == nullptr) outer.missing("function");
  if (!outer.ok()) return;
  field_reader inner(*function, outer.full_name("function"));
  const std::string* name = inner.text("name");
  if (inner.ok() && name == nullptr) inner.missing("name");
  if (inner.ok() && !well_named(*name))
    inner.fail("name",
               fmt::format("'{}' must be 1 to {} characters of letters, digits, '_' and '-'.",
                           inner.full_name("name"), longest_tool_name),
               "invalid_value");
  inner.text("description", longest_description);
  inner.object("parameters");
  inner.boolean("strict");
  if (!inner.ok()) outer.fail(*inner.fault());
}

bool offers(const json& tools, const std::string& name) {
  return std::any_of(tools.begin(), tools.end(),
                     [&](const json& tool) { return tool["function"]["name"] == name; });
}

/// Whether the tools may be shown to the model at all.
bool parse_choice(field_reader& fields, const json* tools) {
  const json* choice = fields.any("tool_choice");
  if (choice == nullptr) return true;
  if (*choice == "none") return false;
  if (tools == nullptr || tools->empty()) {
    fields.fail("tool_choice", "'tool_choice' is only allowed when 'tools' are given.",
                "invalid_value");
  } else if (*choice == "auto") {
    return true;
  } else if (*choice == "required") {
    fields.fail("tool_choice",
                "'tool_choice' may be 'none' or 'auto'; 'required' is not supported.",
                "unsupported_value");
  } else if (choice->is_object()) {
    const auto function = choice->find("function");
    const bool named = function != choice->end() && function->is_object() &&
                       function->contains("name") && (*function)["name"].is_string();
    if (named && offers(*tools, (*function)["name"]))
      fields.fail("tool_choice",
                  "'tool_choice' may be 'none' or 'auto'; naming a tool is not supported.",
                  "unsupported_value");
    else
      fields.fail("tool_choice", "'tool_choice' names a tool that is not among 'tools'.",
                  "invalid_value");
  } else {
    fields.fail("tool_choice", "'tool_choice' must be 'none' or 'auto'.", "invalid_value");
  }
  return false;
}

} // namespace

std::string parse_tools(field_reader& fields, const request_limits& limits) {
  const json* tools = fields.array("tools", limits.tools);
  for (std::size_t i = 0; tools != nullptr && i < tools->size() && fields.ok(); ++i) {
    const auto name = fmt::format("tools[{}]", i);
    if (!(*tools)[i].is_object()) {
      fields.wrong_type(name, "an object");
      break;
    }
    field_reader inner((*tools)[i], name);
    check_tool(inner);
    if (!inner.ok()) fields.fail(*inner.fault());
  }
  fields.boolean("parallel_tool_calls");
  const bool shown = fields.ok() && parse_choice(fields, tools);
  return shown && tools != nullptr && !tools->empty() ? to_text(*tools) : std::string();
}

} // namespace troupe
