#include "actors/tokenizing.hpp"

#include <caf/all.hpp>
#include <fmt/format.h>

namespace troupe {
namespace {

api_error inner_error() {
  return {500, "server_error", "The prompt could not be prepared. Other requests are not affected.",
          {},  "engine_error", 0};
}

std::variant<prepared_prompt, api_error>
prepare_safely(const front_model& model, const prompt_input& prompt, bool add_special) {
  try {
    return model.prepare(prompt, add_special);
  } catch (const std::exception&) {
    return inner_error();
  }
}

} // namespace

void prepare_prompts(caf::event_based_actor*, submit request,
                     std::shared_ptr<const front_model> model, admission_actor admission) {
  prompt_prepared out;
  for (const auto& prompt : request.request->prompts) {
    auto result = prepare_safely(*model, prompt, request.request->add_special_tokens);
    if (auto* error = std::get_if<api_error>(&result)) {
      out.error = std::move(*error);
      break;
    }
    auto& ready = std::get<prepared_prompt>(result);
    if (request.request->echo && ready.text.empty())
      ready.text = model->words()->decode(ready.ids, false);
    out.prompts.push_back(
        {std::move(ready.text), std::make_shared<const token_ids>(std::move(ready.ids))});
  }
  out.request = std::move(request);
  caf::anon_send(admission, std::move(out));
}

void tokenize_text(caf::event_based_actor*, tokenize question,
                   std::shared_ptr<const front_model> model) {
  auto result = prepare_safely(*model, question.prompt, question.add_special_tokens);
  if (auto* error = std::get_if<api_error>(&result))
    return caf::anon_send(question.client, refused{question.tag, std::move(*error)});
  auto& ready = std::get<prepared_prompt>(result);
  tokenized out;
  out.tag = question.tag;
  for (const auto id : ready.ids) out.spellings.push_back(std::string{model->words()->token(id)});
  out.ids = std::move(ready.ids);
  out.text = std::move(ready.text);
  out.max_context = model->facts().max_context;
  caf::anon_send(question.client, std::move(out));
}

void detokenize_ids(caf::event_based_actor*, detokenize question,
                    std::shared_ptr<const front_model> model) {
  for (const auto id : question.ids) {
    if (id >= 0 && static_cast<std::uint32_t>(id) < model->facts().vocabulary) continue;
    const auto message = fmt::format("tokens: {} is not a token id of this model; they are 0 to {}",
                                     id, model->facts().vocabulary - 1);
    return caf::anon_send(question.client, refused{question.tag,
                                                   {400, "invalid_request_error", message, "tokens",
                                                    "invalid_value", 0}});
  }
  tokenized out;
  out.tag = question.tag;
  out.text = model->words()->decode(question.ids, false);
  out.ids = std::move(question.ids);
  out.max_context = model->facts().max_context;
  caf::anon_send(question.client, std::move(out));
}

} // namespace troupe
