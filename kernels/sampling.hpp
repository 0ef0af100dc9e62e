// How a token is chosen from a row of logits: a pure function of the row and its sample_row, shared
// by every device that leaves the choice to the host. The order is vLLM's: logit_bias, what
// min_tokens suppresses, the allowed mask, penalties, temperature, min_p, top_k, top_p, then the
// inverse of the cumulative distribution at one uniform number keyed by seed and position.
#pragma once

#include "kernels/ops.hpp"

#include <span>
#include <vector>

namespace troupe {

/// A token that may be chosen.
struct candidate {
  float logit = 0;
  token_id id = 0;
  float weight = 0; ///< exp((logit - highest) / temperature), where it was asked for
};

/// Memory that one thread uses again from row to row; its contents mean nothing between calls.
struct sampling_scratch {
  std::vector<float> logits;
  std::vector<float> weights;
  std::vector<double> block_sums;
  std::vector<candidate> candidates;
  std::vector<double> masses;
  std::vector<std::uint32_t> counts; ///< all zero between calls
};

/// Chooses a token from logits[vocab], or with is_prompt reports the known one. `finite` is false
/// where the logits hold NaN or +inf, or where bias, mask and suppression leave no token a chance.
/// Throws std::out_of_range, naming it, for a token id in `row` that is not in the vocabulary.
sampled_token sample_token(std::span<const float> logits, const sample_row& row,
                           sampling_scratch& scratch);

/// The logits after bias, suppression, mask and penalties: `logits` itself where nothing applies,
/// else scratch.logits.
std::span<const float> adjust_logits(std::span<const float> logits, const sample_row& row,
                                     sampling_scratch& scratch);

/// The `count` highest of the logits above -inf, best first, the lower id first among equals, in
/// scratch.candidates. O(vocab) where count is much smaller.
std::span<const candidate> highest_logits(std::span<const float> logits, std::size_t count,
                                          sampling_scratch& scratch);

} // namespace troupe
