#include "actors/tokenizing.hpp"

#include <caf/all.hpp>
#include <fmt/format.h>

namespace troupe {
namespace {

// Does the work; whatever it throws becomes an answer of our own words.
template <class Work, class Refuse>
void guarded(Work work, Refuse refuse) {
  try {
    work();
  } catch (const std::exception&) {
    refuse(api_error{500,
                     "server_error",
                     "The prompt could not be prepared. Other requests are not affected.",
                     {},
                     "engine_error",
                     0});
  }
}

auto refusing(const caf::actor& client, request_tag tag) {
  return [client, tag](api_error error) { caf::anon_send(client, refused{tag, std::move(error)}); };
}

void prepare_all(const generate_request& request, const front_model& model, prompt_prepared& out) {
  for (const auto& prompt : request.prompts) {
    auto result = model.prepare(prompt, request.add_special_tokens);
    if (auto* error = std::get_if<api_error>(&result)) {
      out.error = std::move(*error);
      return;
    }
    auto& ready = std::get<prepared_prompt>(result);
    if (request.echo && ready.text.empty()) ready.text = model.words()->decode(ready.ids, false);
    out.prompts.push_back(
        {std::move(ready.text), std::make_shared<const token_ids>(std::move(ready.ids))});
  }
}

std::optional<api_error> check_ids(const token_ids& ids, const model_facts& model) {
  for (const auto id : ids) {
    if (id >= 0 && static_cast<std::uint32_t>(id) < model.vocabulary) continue;
    auto message = fmt::format("tokens: {} is not a token id of this model; they are 0 to {}", id,
                               model.vocabulary - 1);
    return api_error{400,      "invalid_request_error", std::move(message),
                     "tokens", "invalid_value",         0};
  }
  return std::nullopt;
}

} // namespace

void prepare_prompts(caf::event_based_actor*, submit request,
                     std::shared_ptr<const front_model> model, admission_actor admission) {
  prompt_prepared out;
  guarded([&] { prepare_all(*request.request, *model, out); },
          [&](api_error error) { out.error = std::move(error); });
  out.request = std::move(request);
  caf::anon_send(admission, std::move(out));
}

void tokenize_text(caf::event_based_actor*, tokenize question,
                   std::shared_ptr<const front_model> model) {
  const auto refuse = refusing(question.client, question.tag);
  const auto work = [&] {
    auto result = model->prepare(question.prompt, question.add_special_tokens);
    if (auto* error = std::get_if<api_error>(&result)) return refuse(std::move(*error));
    auto& ready = std::get<prepared_prompt>(result);
    tokenized out;
    out.tag = question.tag;
    for (const auto id : ready.ids) out.spellings.push_back(std::string{model->words()->token(id)});
    out.ids = std::move(ready.ids);
    out.text = std::move(ready.text);
    out.max_context = model->facts().max_context;
    caf::anon_send(question.client, std::move(out));
  };
  guarded(work, refuse);
}

void detokenize_ids(caf::event_based_actor*, detokenize question,
                    std::shared_ptr<const front_model> model) {
  const auto refuse = refusing(question.client, question.tag);
  const auto work = [&] {
    if (auto error = check_ids(question.ids, model->facts())) return refuse(std::move(*error));
    tokenized out;
    out.tag = question.tag;
    out.text = model->words()->decode(question.ids, false);
    out.ids = std::move(question.ids);
    out.max_context = model->facts().max_context;
    caf::anon_send(question.client, std::move(out));
  };
  guarded(work, refuse);
}

} // namespace troupe
