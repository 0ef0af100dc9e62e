// RoPE: Su et al., 2104.09864. Position interpolation ("linear"): Chen et al., 2306.15595. YaRN:
// Peng et al., 2309.00071, sections 3.2 to 3.4. "llama3": the piecewise rule that Llama 3.1 was
// released with.
#include "model/rope_frequencies.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace troupe {

namespace {

constexpr double two_pi = 2.0 * std::numbers::pi;

/// Long waves are stretched by factor, short ones kept, those between are mixed.
double llama3_frequency(double frequency, const rope_settings& rope) {
  const double turns = rope.original_positions * frequency / two_pi;
  if (turns > rope.high_frequency_factor) return frequency;
  if (turns < rope.low_frequency_factor) return frequency / rope.factor;
  const double kept = (turns - rope.low_frequency_factor) /
                      (rope.high_frequency_factor - rope.low_frequency_factor);
  return (1.0 - kept) * frequency / rope.factor + kept * frequency;
}

/// The (fractional) dimension whose wave turns `turns` times over the original positions.
double yarn_dimension(double turns, const rope_settings& rope, std::int32_t head_dim) {
  return head_dim * std::log(rope.original_positions / (turns * two_pi)) /
         (2.0 * std::log(rope.theta));
}

/// Where YaRN's ramp from kept to stretched begins and ends, in dimensions.
std::pair<double, double> yarn_ramp(const rope_settings& rope, std::int32_t head_dim) {
  double low = yarn_dimension(rope.beta_fast, rope, head_dim);
  double high = yarn_dimension(rope.beta_slow, rope, head_dim);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(head_dim - 1));
  return {low, low == high ? high + 0.001 : high};
}

/// To the nearest bfloat16, ties to even.
float rounded_to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7FFFU + (bits >> 16U & 1U)) & 0xFFFF0000U);
}

double yarn_attention_factor(const rope_settings& rope) {
  if (rope.attention_factor) return *rope.attention_factor;
  return rope.factor <= 1.0 ? 1.0 : 0.1 * std::log(rope.factor) + 1.0;
}

} // namespace

rope_frequencies make_rope_frequencies(const rope_settings& rope, std::int32_t head_dim) {
  rope_frequencies out;
  const auto [low, high] =
      rope.scaling == rope_scaling::yarn ? yarn_ramp(rope, head_dim) : std::pair(0.0, 1.0);
  for (std::int32_t i = 0; i < head_dim / 2; ++i) {
    double frequency = std::pow(rope.theta, -2.0 * i / head_dim);
    if (rope.scaling == rope_scaling::linear) frequency /= rope.factor;
    if (rope.scaling == rope_scaling::llama3) frequency = llama3_frequency(frequency, rope);
    if (rope.scaling == rope_scaling::yarn) {
      const double stretched = std::clamp((i - low) / (high - low), 0.0, 1.0);
      frequency *= stretched / rope.factor + (1.0 - stretched);
    }
    const auto exact = static_cast<float>(frequency);
    out.inverse_frequencies.push_back(rope.frequency_type == dtype::bf16 ? rounded_to_bf16(exact)
                                                                         : exact);
  }
  if (rope.scaling == rope_scaling::yarn)
    out.attention_factor = static_cast<float>(yarn_attention_factor(rope));
  return out;
}

} // namespace troupe
