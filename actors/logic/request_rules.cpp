#include "actors/logic/request_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {
namespace {

api_error invalid(std::string param, std::string code, std::string message) {
  return {400, "invalid_request_error", std::move(message), std::move(param), std::move(code), 0};
}

std::optional<api_error> check_id(token_id id, std::string_view param, const model_facts& model) {
  if (id >= 0 && static_cast<std::uint32_t>(id) < model.vocabulary) return std::nullopt;
  return invalid(std::string{param}, id < 0 ? "integer_below_min_value" : "integer_above_max_value",
                 fmt::format("{}: {} is not a token id of this model; they are 0 to {}", param, id,
                             model.vocabulary - 1));
}

// The name of the prompt's field: a conversation comes as messages.
std::string prompt_param(const generate_request& request) {
  return std::holds_alternative<chat_input>(request.prompts.front()) ? "messages" : "prompt";
}

} // namespace

std::optional<api_error> check_request(const generate_request& request, const model_facts& model) {
  if (!request.model.empty() && request.model != model.name)
    return api_error{
        404,
        "invalid_request_error",
        fmt::format("model: this server has no model of that name; it serves {}", model.name),
        "model",
        "model_not_found",
        0};
  for (const auto& [id, bias] : request.logit_bias)
    if (auto error = check_id(id, "logit_bias", model)) return error;
  for (const auto id : request.stop_token_ids)
    if (auto error = check_id(id, "stop_token_ids", model)) return error;
  for (const auto& prompt : request.prompts) {
    if (const auto* ids = std::get_if<token_ids>(&prompt))
      for (const auto id : *ids)
        if (auto error = check_id(id, "prompt", model)) return error;
    if (std::holds_alternative<chat_input>(prompt) && !model.has_chat_template)
      return invalid(
          "messages", "unsupported_model",
          "messages: this model has no chat template; use /v1/completions with a prompt instead");
  }
  return std::nullopt;
}

std::optional<api_error> check_length(const generate_request& request, std::size_t prompt_tokens,
                                      const model_facts& model) {
  if (prompt_tokens == 0)
    return invalid(prompt_param(request), "empty_string",
                   fmt::format("{0}: the {0} came to no tokens at all", prompt_param(request)));
  const auto asked = request.max_tokens.value_or(1);
  if (prompt_tokens + asked <= model.max_context) return std::nullopt;
  return invalid(
      prompt_tokens < model.max_context ? "max_tokens" : prompt_param(request),
      "context_length_exceeded",
      fmt::format(
          "This model's context is {} tokens; the {} came to {} and {} more were to be generated.",
          model.max_context, prompt_param(request), prompt_tokens, asked));
}

sampling_params resolve_sampling(const generate_request& request, const model_facts& model,
                                 std::uint32_t choice, std::uint64_t seed) {
  auto out = model.defaults;
  if (request.temperature) out.temperature = *request.temperature;
  if (request.top_p) out.top_p = *request.top_p;
  if (request.top_k) out.top_k = *request.top_k;
  if (request.min_p) out.min_p = *request.min_p;
  if (request.repetition_penalty) out.repetition_penalty = *request.repetition_penalty;
  out.presence_penalty = request.presence_penalty;
  out.frequency_penalty = request.frequency_penalty;
  out.seed = request.seed.value_or(seed) + choice;
  out.logit_bias = request.logit_bias;
  out.logprobs = request.logprobs;
  out.prompt_logprobs = request.prompt_logprobs;
  out.min_tokens = static_cast<std::int32_t>(request.min_tokens);
  if (request.min_tokens > 0) out.suppressed = resolve_stop_ids(request, model);
  return out;
}

std::uint32_t resolve_max_tokens(const generate_request& request, std::size_t prompt_tokens,
                                 const model_facts& model) {
  const auto room = model.max_context - static_cast<std::uint32_t>(prompt_tokens);
  const auto wanted = model.default_max_tokens > 0 ? model.default_max_tokens : room;
  return std::clamp(request.max_tokens.value_or(wanted), 1U, std::max(room, 1U));
}

std::vector<token_id> resolve_stop_ids(const generate_request& request, const model_facts& model) {
  auto out = request.stop_token_ids;
  if (!request.ignore_eos) out.insert(out.end(), model.end_ids.begin(), model.end_ids.end());
  return out;
}

} // namespace troupe
