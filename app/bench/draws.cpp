#include "app/bench/draws.hpp"

#include "kernels/philox.hpp"

#include <cmath>

namespace troupe {

draws::draws(std::uint64_t seed, std::uint32_t purpose, std::uint64_t number)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32),
               purpose} {}

std::uint32_t draws::word() {
  if (left_ == 0) {
    words_ = philox(counter_, key_);
    ++counter_[0];
    left_ = words_.size();
  }
  return words_[words_.size() - left_--];
}

double draws::uniform() {
  constexpr double step = 0x1p-53;
  const std::uint64_t high = word();
  const std::uint64_t bits = (high << 32 | word()) >> 11;
  return (static_cast<double>(bits) + 0.5) * step;
}

std::uint32_t draws::below(std::uint32_t limit) {
  return static_cast<std::uint32_t>(std::uint64_t{word()} * limit >> 32);
}

std::uint64_t draws::between(std::uint64_t lowest, std::uint64_t highest) {
  const auto count = static_cast<double>(highest - lowest) + 1;
  const auto step = static_cast<std::uint64_t>(uniform() * count);
  return step > highest - lowest ? highest : lowest + step;
}

double draws::normal() {
  constexpr double turn = 6.283185307179586;
  const double radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(turn * uniform());
}

double draws::gamma(double shape) {
  if (shape < 1) {
    const double larger = gamma(shape + 1);
    return larger * std::pow(uniform(), 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

} // namespace troupe
