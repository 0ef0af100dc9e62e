// What sampling does over a whole row of logits, vectorised.
#pragma once

#include <cstddef>
#include <span>

namespace troupe {

/// The highest of a row.
struct logits_peak {
  float highest = 0;  ///< -inf where the row is empty or has no other value
  bool finite = true; ///< false: the row holds NaN or +inf, and `highest` means nothing
};

logits_peak find_peak(std::span<const float> logits);

/// Elements of one block of exponentials().
inline constexpr std::size_t exponential_block = 1024;

/// weights[i] = exp((logits[i] - highest) * scale), and sums, f64, of each block of
/// exponential_block: block_sums[ceil(n / exponential_block)]. weights may be empty: sums only.
/// Returns the sum of all. highest must be finite, scale > 0.
double exponentials(std::span<float> weights, std::span<double> block_sums,
                    std::span<const float> logits, float highest, float scale);

} // namespace troupe
