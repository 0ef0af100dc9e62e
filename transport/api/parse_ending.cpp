// When a continuation ends, and which of its tokens become text.
#include "transport/api/parse_parts.hpp"

#include <fmt/format.h>

#include <limits>

namespace troupe {

namespace {

constexpr std::int64_t most_tokens = std::numeric_limits<std::int32_t>::max();

/// OpenAI's own default for completions; a chat goes on to the end of the context.
constexpr std::uint32_t default_completion_tokens = 16;

void add_stop(field_reader& fields, const std::string& name, const json& value,
              const request_limits& limits, generate_request& out) {
  if (!value.is_string()) {
    fields.wrong_type(name, "a string");
    return;
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty()) {
    fields.fail(name, fmt::format("'{}' must not be empty.", name), "invalid_value");
    return;
  }
  if (text.size() > limits.stop_bytes) {
    fields.fail(name, fmt::format("'{}' must be at most {} bytes long.", name, limits.stop_bytes),
                "string_above_max_length");
    return;
  }
  out.stop.push_back(text);
}

void parse_stop(field_reader& fields, const request_limits& limits, generate_request& out) {
  const json* stop = fields.any("stop");
  if (stop == nullptr) return;
  if (!stop->is_array()) {
    if (!stop->is_string())
      fields.wrong_type("stop", "a string or an array of strings");
    else
      add_stop(fields, "stop", *stop, limits, out);
    return;
  }
  if (fields.array("stop", limits.stop) == nullptr) return;
  for (std::size_t i = 0; i < stop->size() && fields.ok(); ++i)
    add_stop(fields, fmt::format("stop[{}]", i), (*stop)[i], limits, out);
}

void parse_max_tokens(field_reader& fields, api_shape shape, generate_request& out) {
  const auto limit = fields.integer("max_tokens", 1, most_tokens);
  const auto completion_limit = fields.integer("max_completion_tokens", 1, most_tokens);
  if (limit && completion_limit)
    fields.fail("max_tokens", "Give either 'max_tokens' or 'max_completion_tokens', not both.",
                "invalid_value");
  if (limit || completion_limit)
    out.max_tokens = static_cast<std::uint32_t>(limit ? *limit : *completion_limit);
  else if (shape == api_shape::completions)
    out.max_tokens = default_completion_tokens;
}

} // namespace

void parse_ending(field_reader& fields, const request_limits& limits, api_shape shape,
                  generate_request& out) {
  parse_max_tokens(fields, shape, out);
  out.min_tokens =
      static_cast<std::uint32_t>(fields.integer("min_tokens", 0, most_tokens).value_or(0));
  if (out.max_tokens && out.min_tokens > *out.max_tokens)
    fields.fail("min_tokens",
                fmt::format("'min_tokens' must not exceed the {} tokens asked for at most.",
                            *out.max_tokens),
                "invalid_value");
  parse_stop(fields, limits, out);
  if (const json* ids = fields.array("stop_token_ids", limits.stop_token_ids))
    out.stop_token_ids = parse_token_ids(fields, "stop_token_ids", *ids);
  out.include_stop = fields.boolean("include_stop_str_in_output").value_or(false);
  out.ignore_eos = fields.boolean("ignore_eos").value_or(false);
  out.skip_special_tokens = fields.boolean("skip_special_tokens").value_or(true);
  out.add_special_tokens = fields.boolean("add_special_tokens").value_or(true);
}

} // namespace troupe
