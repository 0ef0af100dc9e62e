// The counter-based generator is SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
// number generators", OOPSLA 2014): word k is a hash of key + k * gamma, so no state is carried.
#include "tools/make_model/random_weights.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <numbers>
#include <string_view>

namespace troupe {
namespace {

constexpr std::uint64_t gamma = 0x9E3779B97F4A7C15;
constexpr std::size_t at_once = 4; // elements of a random word

constexpr std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// FNV-1a.
constexpr std::uint64_t hash_of(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

/// The z below which a fraction p < 0.5 of the normal distribution lies.
double quantile(double p) {
  double low = -10;
  double high = 0;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::numbers::sqrt2) / 2 < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

} // namespace

std::uint16_t to_bf16(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

std::uint16_t to_f16(double value) {
  constexpr int least_exponent = -14;
  constexpr int mantissa_bits = 10;
  const double magnitude = std::fabs(value);
  const int exponent =
      magnitude > 0 ? std::max(std::ilogb(magnitude), least_exponent) : least_exponent;
  // In units of the last place; a mantissa that rounds up to the next power carries into the
  // exponent by itself.
  const auto units =
      static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, mantissa_bits - exponent)));
  const auto bits = static_cast<std::uint32_t>(exponent - least_exponent) << mantissa_bits;
  return static_cast<std::uint16_t>((std::signbit(value) ? 0x8000U : 0U) | (bits + units));
}

random_weights::random_weights(std::uint64_t seed, dtype type) : seed_(seed), type_(type) {
  for (std::size_t i = 0; i < slices / 2; ++i) {
    normal_[i] = quantile((static_cast<double>(i) + 0.5) / slices);
    normal_[slices - 1 - i] = -normal_[i];
  }
}

template <class Element>
void random_weights::fill_as(std::span<Element> out, const parameter& which, std::uint64_t first,
                             Element (*round)(double)) const {
  std::array<Element, slices> values;
  for (std::size_t i = 0; i < slices; ++i)
    values[i] = round(which.mean + which.deviation * normal_[i]);
  const std::uint64_t key = mixed(seed_ + gamma) ^ hash_of(which.name);
  std::uint64_t counter = key + first / at_once * gamma;
  const std::size_t whole = out.size() - out.size() % at_once;
  for (std::size_t i = 0; i < whole; i += at_once) {
    const std::uint64_t word = mixed(counter += gamma);
    for (std::size_t j = 0; j < at_once; ++j) out[i + j] = values[(word >> (16 * j)) % slices];
  }
  const std::uint64_t last = mixed(counter + gamma);
  for (std::size_t j = 0; whole + j < out.size(); ++j)
    out[whole + j] = values[(last >> (16 * j)) % slices];
}

void random_weights::fill(std::span<std::byte> out, const parameter& which,
                          std::uint64_t first) const {
  assert(first % 4 == 0 && out.size() % size_of(type_) == 0);
  const std::size_t count = out.size() / size_of(type_);
  if (type_ == dtype::f32)
    fill_as(
        std::span(reinterpret_cast<float*>(out.data()), count), which, first,
        +[](double v) { return static_cast<float>(v); });
  else
    fill_as(std::span(reinterpret_cast<std::uint16_t*>(out.data()), count), which, first,
            type_ == dtype::bf16 ? to_bf16 : to_f16);
}

} // namespace troupe
