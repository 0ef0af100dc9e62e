// How tokens are chosen: the ranges here are those that config/sampling.hpp promises to the
// kernels.
#include "transport/api/parse_parts.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace troupe {

namespace {

std::optional<float> narrow(std::optional<double> value) {
  if (!value) return {};
  return static_cast<float>(*value);
}

/// A token id written as a decimal number, or nothing.
std::optional<token_id> parse_token_id(const std::string& text) {
  token_id id = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, id);
  if (error != std::errc() || rest != end || id < 0) return {};
  return id;
}

void parse_logit_bias(field_reader& fields, const request_limits& limits, generate_request& out) {
  const json* bias = fields.object("logit_bias");
  if (bias == nullptr) return;
  if (bias->size() > limits.logit_bias) {
    fields.fail("logit_bias",
                fmt::format("'logit_bias' must have at most {} entries, and has {}.",
                            limits.logit_bias, bias->size()),
                "array_above_max_length");
    return;
  }
  out.logit_bias.reserve(bias->size());
  for (const auto& [key, value] : bias->items()) {
    const auto id = parse_token_id(key);
    if (!id) {
      fields.fail("logit_bias", "'logit_bias' must map token ids to numbers.", "invalid_value");
      return;
    }
    if (!value.is_number()) {
      fields.wrong_type("logit_bias", "an object of numbers");
      return;
    }
    const auto amount = value.get<double>();
    if (amount < -100 || amount > 100) {
      fields.fail("logit_bias", "'logit_bias' must hold numbers between -100 and 100.",
                  amount < 0 ? "decimal_below_min_value" : "decimal_above_max_value");
      return;
    }
    out.logit_bias.emplace_back(*id, static_cast<float>(amount));
  }
}

} // namespace

void parse_sampling(field_reader& fields, const request_limits& limits, generate_request& out) {
  out.temperature = narrow(fields.decimal("temperature", 0, 2));
  out.top_p = narrow(fields.decimal("top_p", 0, 1, true));
  if (const auto k = fields.integer("top_k", -1, std::numeric_limits<std::int32_t>::max()))
    out.top_k = *k < 0 ? 0 : static_cast<std::int32_t>(*k);
  out.min_p = narrow(fields.decimal("min_p", 0, 1));
  out.repetition_penalty = narrow(fields.decimal("repetition_penalty", 0, 2, true));
  out.presence_penalty =
      narrow(fields.decimal("presence_penalty", -2, 2)).value_or(out.presence_penalty);
  out.frequency_penalty =
      narrow(fields.decimal("frequency_penalty", -2, 2)).value_or(out.frequency_penalty);
  if (const auto seed = fields.integer("seed", std::numeric_limits<std::int64_t>::min(),
                                       std::numeric_limits<std::int64_t>::max()))
    out.seed = static_cast<std::uint64_t>(*seed);
  // A positive number may be too small for a float, whose zero the ranges exclude.
  constexpr float least = std::numeric_limits<float>::min();
  if (out.top_p && *out.top_p < least) out.top_p = least;
  if (out.repetition_penalty && *out.repetition_penalty < least) out.repetition_penalty = least;
  parse_logit_bias(fields, limits, out);
}

} // namespace troupe
