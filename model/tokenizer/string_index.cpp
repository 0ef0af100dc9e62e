// See string_index.hpp. The hash takes eight bytes at a time, multiplying and folding (as in Wang
// Yi's wyhash); the keys are the model's, so nobody outside can choose them to collide.
#include "model/tokenizer/string_index.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace troupe {
namespace {

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using wide = unsigned __int128;
  const auto product = static_cast<wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint32_t hash_of(std::string_view text) {
  auto hash = 0x9E3779B97F4A7C15U ^ text.size();
  while (!text.empty()) {
    std::uint64_t word = 0;
    const auto taken = std::min<std::size_t>(8, text.size());
    std::memcpy(&word, text.data(), taken);
    hash = fold(hash ^ word, 0xD6E8FEB86659FD93U);
    text.remove_prefix(taken);
  }
  return static_cast<std::uint32_t>(hash ^ hash >> 32);
}

} // namespace

string_index::string_index(std::size_t expected)
    : slots_(std::bit_ceil(std::max<std::size_t>(16, expected * 2))) {}

const string_index::slot& string_index::slot_of(std::uint32_t hash, std::string_view text) const {
  for (std::size_t at = hash;; ++at) {
    const auto& slot = slots_[at & (slots_.size() - 1)];
    if (slot.id < 0) return slot;
    if (slot.hash == hash && std::string_view(texts_).substr(slot.begin, slot.length) == text)
      return slot;
  }
}

bool string_index::insert(std::string_view text, token_id id) {
  if ((used_ + 1) * 2 > slots_.size()) grow();
  const auto hash = hash_of(text);
  auto& slot = slots_[static_cast<std::size_t>(&slot_of(hash, text) - slots_.data())];
  if (slot.id >= 0) return false;
  slot = {hash, id, static_cast<std::uint32_t>(texts_.size()),
          static_cast<std::uint32_t>(text.size())};
  texts_ += text;
  longest_ = std::max(longest_, text.size());
  ++used_;
  return true;
}

token_id string_index::find(std::string_view text) const {
  return text.size() > longest_ ? -1 : slot_of(hash_of(text), text).id;
}

void string_index::grow() {
  std::vector<slot> old(slots_.size() * 2);
  std::swap(old, slots_);
  for (const auto& entry : old) {
    if (entry.id < 0) continue;
    std::size_t at = entry.hash;
    while (slots_[at & (slots_.size() - 1)].id >= 0) ++at;
    slots_[at & (slots_.size() - 1)] = entry;
  }
}

} // namespace troupe
