// How many continuations, and what is told about their tokens.
#include "transport/api/parse_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

namespace {

void parse_n(field_reader& fields, const request_limits& limits, generate_request& out) {
  out.n = static_cast<std::uint32_t>(fields.integer("n", 1, limits.n).value_or(1));
  const auto best_of = fields.integer("best_of", 1, limits.n);
  if (!best_of) return;
  if (*best_of < out.n)
    fields.fail("best_of", "'best_of' must not be less than 'n'.", "integer_below_min_value");
  else if (*best_of > out.n)
    fields.fail("best_of", "'best_of' greater than 'n' is not supported.", "unsupported_value");
}

void parse_chat_logprobs(field_reader& fields, const request_limits& limits,
                         generate_request& out) {
  const bool wanted = fields.boolean("logprobs").value_or(false);
  const auto top = fields.integer("top_logprobs", 0, limits.top_logprobs);
  if (top && !wanted)
    fields.fail("top_logprobs", "'top_logprobs' is only allowed when 'logprobs' is true.",
                "invalid_value");
  if (wanted) out.logprobs = static_cast<std::int32_t>(top.value_or(0));
}

} // namespace

void parse_reports(field_reader& fields, const request_limits& limits, api_shape shape,
                   generate_request& out) {
  parse_n(fields, limits, out);
  const std::int64_t most = limits.top_logprobs;
  if (shape == api_shape::chat)
    parse_chat_logprobs(fields, limits, out);
  else
    out.logprobs = static_cast<std::int32_t>(fields.integer("logprobs", 0, most).value_or(-1));
  out.prompt_logprobs =
      static_cast<std::int32_t>(fields.integer("prompt_logprobs", 0, most).value_or(-1));
  out.echo = fields.boolean("echo").value_or(false);
  if (out.echo && shape == api_shape::chat)
    fields.fail("echo", "'echo' is only supported for completions.", "unsupported_parameter");
  // An echoed prompt is told about like the tokens behind it.
  if (out.echo && out.logprobs >= 0)
    out.prompt_logprobs = std::max(out.prompt_logprobs, out.logprobs);
}

} // namespace troupe
