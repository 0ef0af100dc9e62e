#include "actors/stream_setup.hpp"

#include "model/tokenizer/detokenizer.hpp"

namespace troupe {
namespace {

text_source text_of(const std::shared_ptr<const tokenizer>& words, bool skip_special) {
  const auto pieces = std::make_shared<detokenizer>(words, skip_special, true);
  return {[pieces](token_id id) { return pieces->push(id); },
          [pieces] { return pieces->finish(); }};
}

sequence_spec spec_of(const prompt_prepared& what, std::uint32_t choice, sequence_id id,
                      std::uint64_t seed, const model_facts& facts) {
  const auto& request = *what.request.request;
  const auto& prompt = what.prompts[choice / request.n];
  sequence_spec out;
  out.id = id;
  out.ids = prompt.ids;
  out.prompt_tokens = static_cast<std::uint32_t>(prompt.ids->size());
  out.max_tokens = resolve_max_tokens(request, prompt.ids->size(), facts);
  out.sampling = std::make_shared<const sampling_params>(
      resolve_sampling(request, facts, choice % request.n, seed));
  out.stop_ids = resolve_stop_ids(request, facts);
  out.priority = request.priority;
  out.arrival = what.request.arrival;
  out.salt = request.cache_salt;
  return out;
}

} // namespace

stream_setup setup_of(const prompt_prepared& what, std::uint32_t choice, sequence_id id,
                      std::uint64_t seed, const front_model& model) {
  const auto& request = *what.request.request;
  stream_setup out;
  out.request = what.request.request;
  out.tag = what.request.tag;
  out.choice = choice;
  out.client = what.request.client;
  out.spec = spec_of(what, choice, id, seed, model.facts());
  out.rules.stop = request.stop;
  out.rules.include_stop = request.include_stop;
  out.rules.min_tokens = request.min_tokens;
  out.rules.wants_tokens = request.logprobs >= 0;
  if (request.echo) out.rules.initial_text = what.prompts[choice / request.n].text;
  out.words = model.words();
  out.text = text_of(out.words, request.skip_special_tokens);
  out.timeout = request.timeout;
  return out;
}

} // namespace troupe
