#include "actors/front_model.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace troupe {
namespace {

using nlohmann::ordered_json;

api_error refusal(std::string param, std::string message) {
  return {400, "invalid_request_error", std::move(message), std::move(param), "invalid_value", 0};
}

// The variables that templates expect, as transformers gives them.
ordered_json context_of(const chat_input& chat) {
  ordered_json context;
  context["messages"] = ordered_json::parse(chat.messages);
  context["tools"] = chat.tools.empty() ? ordered_json{} : ordered_json::parse(chat.tools);
  context["documents"] = nullptr;
  context["add_generation_prompt"] = chat.add_generation_prompt && !chat.continue_final_message;
  if (!chat.template_kwargs.empty()) context.update(ordered_json::parse(chat.template_kwargs));
  return context;
}

// Where the final message is to go on, the prompt ends with its text: what the template puts behind
// it is cut.
bool cut_after_final_message(rendered_text& rendered, const ordered_json& messages) {
  const auto& content =
      messages.back().contains("content") ? messages.back()["content"] : ordered_json{};
  if (!content.is_string()) return false;
  auto text = content.get<std::string>();
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.pop_back();
  const auto at = rendered.text.rfind(text);
  if (text.empty() || at == std::string::npos) return false;
  rendered.text.resize(at + text.size());
  std::erase_if(rendered.untrusted,
                [&](const text_range& range) { return range.begin >= rendered.text.size(); });
  if (!rendered.untrusted.empty())
    rendered.untrusted.back().end = std::min(rendered.untrusted.back().end, rendered.text.size());
  return true;
}

} // namespace

front_model::front_model(model_facts facts, std::shared_ptr<const tokenizer> words,
                         std::shared_ptr<const chat_template> chat, std::int64_t created)
    : facts_{std::move(facts)}, words_{std::move(words)}, chat_{std::move(chat)}, created_{
                                                                                      created} {
  facts_.has_chat_template = chat_ != nullptr;
}

std::variant<prepared_prompt, api_error> front_model::prepare(const prompt_input& prompt,
                                                              bool add_special_tokens) const {
  if (const auto* ids = std::get_if<token_ids>(&prompt)) return prepared_prompt{{}, *ids};
  if (const auto* chat = std::get_if<chat_input>(&prompt)) return prepare_chat(*chat);
  const auto& text = std::get<std::string>(prompt);
  return prepared_prompt{text, words_->encode(text, add_special_tokens)};
}

std::variant<prepared_prompt, api_error> front_model::prepare_chat(const chat_input& chat) const {
  try {
    const auto context = context_of(chat);
    ordered_json trusted;
    for (const auto& [name, text] : words_->special_strings()) trusted[name] = text;
    auto rendered = chat_->render(context, trusted);
    if (chat.continue_final_message && !cut_after_final_message(rendered, context["messages"]))
      return refusal("continue_final_message",
                     "continue_final_message: the final message has no text to continue");
    auto ids = words_->encode(rendered.text, false, rendered.untrusted);
    return prepared_prompt{std::move(rendered.text), std::move(ids)};
  } catch (const template_error& problem) {
    return refusal("messages",
                   fmt::format("messages: the model's chat template refuses this conversation: {}",
                               problem.what()));
  }
}

} // namespace troupe
