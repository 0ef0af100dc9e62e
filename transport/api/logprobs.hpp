// Log-probabilities of tokens in OpenAI's three forms. A token's bytes need not be a whole
// character: `token` shows them with U+FFFD where they are not, `bytes` has them as they are.
#pragma once

#include "actors/messages.hpp"
#include "transport/api/json.hpp"

#include <cstddef>
#include <vector>

namespace troupe {

/// Tokens as they were reported, with their spellings.
struct reported_tokens {
  std::vector<token_report> tokens;
  std::vector<token_spelling> spellings;

  void append(std::vector<token_report> more, std::vector<token_spelling> more_spellings);
  bool empty() const { return tokens.empty(); }
};

/// Of chats: {"content": [{token, logprob, bytes, top_logprobs}], "refusal": null}.
json chat_logprobs(const reported_tokens& reported);

/// Of completions: {tokens, token_logprobs, top_logprobs, text_offset}. `offset` counts the
/// characters before the first token and is advanced past the last.
json completion_logprobs(const reported_tokens& reported, std::size_t& offset);

/// Of a prompt: for each token {"id": {logprob, decoded_token}} with its alternatives; null where
/// there is no logprob, as for the first token.
json prompt_logprobs(const reported_tokens& reported);

} // namespace troupe
