// What names and ranks a request, and what it must not ask for here.
#include "transport/api/api_errors.hpp"
#include "transport/api/parse_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace troupe {

namespace {

constexpr std::size_t longest_model_name = 256;
constexpr std::size_t longest_label = 512;
constexpr std::size_t most_metadata = 16;
constexpr std::size_t longest_metadata_key = 64;

void parse_model(field_reader& fields, generate_request& out) {
  const std::string* model = fields.text("model");
  if (model == nullptr) return;
  if (model->empty())
    fields.fail("model", "'model' must not be empty; leave it out for the model that is served.",
                "invalid_value");
  else if (model->size() > longest_model_name)
    fields.fail("model", "The requested model does not exist.", "model_not_found", 404);
  else
    out.model = *model;
}

void parse_metadata(field_reader& fields) {
  const json* metadata = fields.object("metadata");
  if (metadata == nullptr) return;
  if (metadata->size() > most_metadata) {
    fields.fail("metadata", fmt::format("'metadata' must have at most {} keys.", most_metadata),
                "array_above_max_length");
    return;
  }
  field_reader values(*metadata, "metadata");
  for (const auto& [key, value] : metadata->items()) {
    if (key.size() > longest_metadata_key)
      fields.fail(
          "metadata",
          fmt::format("Keys of 'metadata' must be at most {} bytes long.", longest_metadata_key),
          "string_above_max_length");
    values.text(key, longest_label);
  }
  if (!values.ok()) fields.fail(*values.fault());
}

void parse_timeout(field_reader& fields, const door_settings& settings, generate_request& out) {
  const double most = std::chrono::duration<double>(settings.max_request_timeout).count();
  const auto seconds = fields.decimal("timeout", 0, most, true);
  if (!seconds) return;
  const auto milliseconds = static_cast<std::int64_t>(std::ceil(*seconds * 1000));
  out.timeout = std::chrono::milliseconds(std::max<std::int64_t>(milliseconds, 1));
}

/// Whether the field asks for something, rather than spelling out that it does not.
bool asks(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  return !((value.is_array() || value.is_object() || value.is_string()) && value.empty()) &&
         !(value.is_string() && value.get_ref<const std::string&>().empty());
}

} // namespace

void parse_labels(field_reader& fields, const door_settings& settings, generate_request& out) {
  parse_model(fields, out);
  out.priority =
      static_cast<std::int32_t>(fields
                                    .integer("priority", std::numeric_limits<std::int32_t>::min(),
                                             std::numeric_limits<std::int32_t>::max())
                                    .value_or(0));
  parse_timeout(fields, settings, out);
  if (const auto* salt = fields.label("cache_salt", longest_label)) out.cache_salt = *salt;
  fields.label("user", longest_label);
  fields.label("safety_identifier", longest_label);
  parse_metadata(fields);
}

void refuse_unserved(field_reader& fields) {
  constexpr std::array unserved = {"suffix",
                                   "guided_json",
                                   "guided_regex",
                                   "guided_choice",
                                   "guided_grammar",
                                   "structured_outputs",
                                   "grammar",
                                   "json_schema",
                                   "bad_words",
                                   "allowed_token_ids",
                                   "use_beam_search",
                                   "prompt_embeds",
                                   "chat_template",
                                   "functions",
                                   "function_call",
                                   "audio",
                                   "truncate_prompt_tokens",
                                   "web_search_options",
                                   "logits_processors"};
  for (const char* name : unserved) {
    const json* value = fields.any(name);
    if (value != nullptr && asks(*value))
      fields.fail(name, fmt::format("'{}' is not supported.", name), "unsupported_parameter");
  }
  if (const json* modalities = fields.array("modalities", 4))
    for (const json& each : *modalities)
      if (each != "text")
        fields.fail("modalities", "Only the modality 'text' is supported.", "unsupported_value");
  if (const json* format = fields.object("response_format")) {
    field_reader inner(*format, "response_format");
    const std::string* type = inner.text("type");
    if (inner.ok() && type == nullptr) inner.missing("type");
    if (!inner.ok())
      fields.fail(*inner.fault());
    else if (*type != "text")
      fields.fail("response_format", "Only the response format 'text' is supported.",
                  "unsupported_value");
  }
}

} // namespace troupe
