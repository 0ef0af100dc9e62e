#include "tests/system/script.hpp"

namespace troupe {
namespace {

// The finalizer of SplitMix64.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

} // namespace

script::script(const tokenizer& words) {
  for (token_id id = 0; static_cast<std::size_t>(id) < words.size(); ++id)
    if (!words.is_special(id)) vocabulary_.push_back(id);
}

std::uint64_t script::begin(std::uint64_t seed) const { return mix(seed); }

std::uint64_t script::follow(std::uint64_t state, token_id id) const {
  return mix(state ^ static_cast<std::uint64_t>(id));
}

token_id script::next(std::uint64_t state) const {
  return vocabulary_[mix(state) % vocabulary_.size()];
}

token_ids script::continuation(std::span<const token_id> prompt, std::uint64_t seed,
                               std::size_t tokens) const {
  auto state = begin(seed);
  for (const auto id : prompt) state = follow(state, id);
  token_ids out;
  while (out.size() < tokens) {
    out.push_back(next(state));
    state = follow(state, out.back());
  }
  return out;
}

} // namespace troupe
