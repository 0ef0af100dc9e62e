// What one request may set about how its tokens are chosen. Plain values in the lowest layer,
// because every layer above needs them: the doors fill them, the scheduler carries them, the
// kernels read them.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace troupe {

/// A token's id: an index into the vocabulary, 0 <= id < vocab_size.
using token_id = std::int32_t;

/// How the next token is chosen from the logits. The defaults change nothing: plain sampling at
/// temperature 1.
struct sampling_params {
  float temperature = 1.0F; ///< 0 is greedy; [0, 2].
  float top_p = 1.0F;       ///< smallest set of tokens whose probabilities reach it; (0, 1].
  std::int32_t top_k = 0;   ///< this many most likely tokens; 0 is all of them.
  float min_p = 0.0F;       ///< tokens at least this fraction as likely as the likeliest; [0, 1].
  float presence_penalty = 0.0F;   ///< taken once from a token already generated; [-2, 2].
  float frequency_penalty = 0.0F;  ///< taken for each time a token was generated; [-2, 2].
  float repetition_penalty = 1.0F; ///< divides (multiplies, where negative) logits of tokens seen;
                                   ///< (0, 2]. CTRL, 1909.05858.
  std::uint64_t seed = 0; ///< with the position it keys Philox: the same tokens in every batch.
  std::vector<std::pair<token_id, float>> logit_bias; ///< added to the logits; [-100, 100] each.
  std::int32_t logprobs =
      -1; ///< how many alternatives to report with each token; -1 none, at most 20.
  std::int32_t prompt_logprobs = -1; ///< the same for the prompt's own tokens.
  std::int32_t min_tokens =
      0; ///< `suppressed` tokens have no chance before this many were generated.
  std::vector<token_id>
      suppressed; ///< the tokens that min_tokens holds back: end of sequence and stop tokens.
};

/// The choice of a token depends on the tokens before it.
inline bool has_penalties(const sampling_params& params) {
  return params.repetition_penalty != 1.0F || params.presence_penalty != 0.0F ||
         params.frequency_penalty != 0.0F;
}

} // namespace troupe
