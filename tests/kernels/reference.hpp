// What the ops mean, computed the obvious way in float64 on plain vectors. Slow, and free of every
// idea that the kernels use.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace troupe::reference {

using doubles = std::vector<double>;
using floats = std::vector<float>;

inline std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

inline float of_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

inline std::uint16_t to_f16(float value) {
  if (value == 0) return 0;
  if (std::isnan(value)) return 0x7E00;
  const int exponent = std::max(std::ilogb(value), -14);
  const auto mantissa = std::lround(std::nearbyint(std::ldexp(std::fabs(value), 10 - exponent)));
  const long magnitude = mantissa < 1024 ? mantissa : (exponent + 14) * 1024 + mantissa;
  return static_cast<std::uint16_t>(magnitude | (value < 0 ? 0x8000 : 0));
}

inline float of_f16(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  if (exponent == 31 && mantissa != 0) return std::numeric_limits<float>::quiet_NaN();
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return static_cast<float>((bits & 0x8000) != 0 ? -magnitude : magnitude);
}

/// x[rows, k] · weight[n, k]ᵀ + bias[n] (where not empty).
inline doubles matmul(const floats& x, const floats& weight, const floats& bias, std::size_t rows,
                      std::size_t n, std::size_t k) {
  doubles out(rows * n);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t j = 0; j < n; ++j) {
      double sum = bias.empty() ? 0 : bias[j];
      for (std::size_t i = 0; i < k; ++i) sum += double{x[r * k + i]} * weight[j * k + i];
      out[r * n + j] = sum;
    }
  return out;
}

/// One row divided by its root mean square and multiplied by the weight (where not empty).
inline doubles rms_norm(const doubles& x, const floats& weight, double epsilon) {
  double squares = 0;
  for (const double value : x) squares += value * value;
  const double factor = 1 / std::sqrt(squares / static_cast<double>(x.size()) + epsilon);
  doubles out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    out[i] = x[i] * factor * (weight.empty() ? 1.0 : weight[i]);
  return out;
}

/// One head rotated to a position; the angle is the f32 product, as the contract's models have it.
inline doubles rotate(const doubles& head, const floats& frequencies, float factor, int position) {
  doubles out(head.size());
  const std::size_t half = head.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const double angle = static_cast<float>(position) * frequencies[i];
    const double cosine = std::cos(angle) * factor, sine = std::sin(angle) * factor;
    out[i] = head[i] * cosine - head[half + i] * sine;
    out[half + i] = head[half + i] * cosine + head[i] * sine;
  }
  return out;
}

/// Softmax-weighted sum of values[., dim] over positions [first, last].
struct attention_rule {
  double scale = 1;
  int window = 0;
  double softcap = 0;
};

/// One query[dim] at `position` over keys and values whose rows are `stride` apart.
inline doubles attend(const float* query, const float* keys, const float* values,
                      std::size_t stride, std::size_t dim, int position,
                      const attention_rule& rule) {
  const int first = rule.window > 0 ? std::max(0, position - rule.window + 1) : 0;
  doubles scores;
  for (int p = first; p <= position; ++p) {
    double score = 0;
    for (std::size_t i = 0; i < dim; ++i)
      score += double{query[i]} * keys[static_cast<std::size_t>(p) * stride + i];
    score *= rule.scale;
    if (rule.softcap > 0) score = rule.softcap * std::tanh(score / rule.softcap);
    scores.push_back(score);
  }
  const double highest = *std::max_element(scores.begin(), scores.end());
  double total = 0;
  for (double& score : scores) total += score = std::exp(score - highest);
  doubles out(dim);
  for (std::size_t j = 0; j < scores.size(); ++j)
    for (std::size_t i = 0; i < dim; ++i)
      out[i] += scores[j] / total * values[(static_cast<std::size_t>(first) + j) * stride + i];
  return out;
}

inline double silu(double x) { return x / (1 + std::exp(-x)); }

} // namespace troupe::reference
