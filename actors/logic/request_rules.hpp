// What can only be checked and filled in when the model is known: names, ids against the width of
// the logits, lengths against the context, defaults from the model's own generation_config.json.
#pragma once

#include "actors/request.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What the rules need to know of a model.
struct model_facts {
  std::string name;
  std::uint32_t vocabulary = 0;  ///< width of the logits: ids at or above it index nothing
  std::uint32_t max_context = 0; ///< prompt and continuation together
  bool has_chat_template = false;
  std::vector<token_id> end_ids;        ///< end of sequence
  sampling_params defaults;             ///< for what a request leaves unset
  std::uint32_t default_max_tokens = 0; ///< 0: to the end of the context
};

/// Before tokenizing: the model's name, ids in range, a template where there is a conversation.
std::optional<api_error> check_request(const generate_request& request, const model_facts& model);
/// After tokenizing: the prompt and what is asked for fit into the context.
std::optional<api_error> check_length(const generate_request& request, std::size_t prompt_tokens,
                                      const model_facts& model);

/// How the tokens of one choice are sampled. `seed` is used where the request has none; choice i of
/// one seed gets seed
/// + i.
sampling_params resolve_sampling(const generate_request& request, const model_facts& model,
                                 std::uint32_t choice, std::uint64_t seed);
/// Tokens to generate, at least 1, within the context.
std::uint32_t resolve_max_tokens(const generate_request& request, std::size_t prompt_tokens,
                                 const model_facts& model);
/// The ids that end a sequence.
std::vector<token_id> resolve_stop_ids(const generate_request& request, const model_facts& model);

} // namespace troupe
