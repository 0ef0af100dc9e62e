// Prompts of completions: a text, many texts, token ids, or many lists of them. Ids are checked
// against the vocabulary at admission, which knows it.
#include "transport/api/parse_parts.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view wanted = "a string, an array of token ids, or an array of either";

void add_prompt(field_reader& fields, const std::string& name, const json& value,
                std::vector<prompt_input>& out) {
  if (value.is_string()) {
    out.emplace_back(value.get<std::string>());
  } else if (value.is_array() && value.empty()) {
    fields.fail(name, fmt::format("'{}' must not be empty.", name), "empty_array");
  } else if (value.is_array()) {
    out.emplace_back(parse_token_ids(fields, name, value));
  } else {
    fields.wrong_type(name, wanted);
  }
}

} // namespace

token_ids parse_token_ids(field_reader& fields, const std::string& name, const json& array) {
  token_ids ids;
  ids.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    const json& value = array[i];
    if (!value.is_number_integer()) {
      fields.wrong_type(fmt::format("{}[{}]", name, i), "a token id");
      return {};
    }
    const bool negative = !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
    const bool huge = !negative && value.get<std::uint64_t>() >
                                       std::uint64_t{std::numeric_limits<token_id>::max()};
    if (negative || huge) {
      fields.fail(fmt::format("{}[{}]", name, i),
                  fmt::format("'{}[{}]' is not a token id of this model.", name, i),
                  negative ? "integer_below_min_value" : "integer_above_max_value");
      return {};
    }
    ids.push_back(value.get<token_id>());
  }
  return ids;
}

void parse_prompts(field_reader& fields, const request_limits& limits,
                   std::vector<prompt_input>& out) {
  const json* prompt = fields.any("prompt");
  if (prompt == nullptr) {
    fields.missing("prompt");
    return;
  }
  const bool many = prompt->is_array() && !prompt->empty() && !prompt->front().is_number();
  if (!many) {
    add_prompt(fields, "prompt", *prompt, out);
    return;
  }
  if (fields.array("prompt", limits.prompts) == nullptr) return;
  for (std::size_t i = 0; i < prompt->size() && fields.ok(); ++i)
    add_prompt(fields, fmt::format("prompt[{}]", i), (*prompt)[i], out);
}

} // namespace troupe
