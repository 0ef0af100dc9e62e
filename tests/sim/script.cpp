#include "tests/sim/script.hpp"

#include "tests/sim/random_source.hpp"

#include <algorithm>

namespace troupe {
namespace {

bool is_stop(const script& it, token_id id) {
  return std::find(it.spec.stop_ids.begin(), it.spec.stop_ids.end(), id) != it.spec.stop_ids.end();
}

// How much of the text is left by the stop string that ends first, if any has ended by now.
bool cut_at_stop(script& it) {
  std::size_t best = std::string::npos;
  for (const auto& stop : it.stops) {
    const auto at = it.text.find(stop);
    if (at == std::string::npos) continue;
    const auto end = at + stop.size();
    if (end < best || (end == best && stop.size() > it.stop_text.size())) {
      best = end;
      it.stop_text = stop;
    }
  }
  if (best == std::string::npos) return false;
  it.text.resize(it.include_stop ? best : best - it.stop_text.size());
  return true;
}

} // namespace

std::string fake_text(token_id id) {
  // One to three letters of four, so that short stop strings come up, also across tokens.
  std::string out;
  for (auto left = id; out.empty() || left > 0; left /= 4) out += static_cast<char>('a' + left % 4);
  return out;
}

void write_script(script& it) {
  it.ids = *it.spec.ids;
  it.prefix.clear();
  std::uint64_t hash = 0;
  for (const auto letter : it.spec.salt) hash = mix(hash + static_cast<unsigned char>(letter));
  const auto all = it.spec.prompt_tokens + it.spec.max_tokens;
  for (std::uint32_t at = 0; at < all; ++at) {
    if (at >= it.ids.size())
      it.ids.push_back(static_cast<token_id>(mix(hash ^ it.spec.sampling->seed) % fake_vocabulary));
    hash = mix(hash * 31 + static_cast<std::uint64_t>(it.ids[at]));
    it.prefix.push_back(hash);
  }
  it.text.clear();
  for (it.generated = 1;; ++it.generated) {
    const auto id = it.ids[it.spec.prompt_tokens + it.generated - 1];
    const bool stop = is_stop(it, id);
    if (!stop || it.include_stop) it.text += fake_text(id);
    it.end = stop ? finish_reason::stop : finish_reason::length;
    it.uncut = it.text;
    if (cut_at_stop(it)) it.end = finish_reason::stop;
    if (!it.stop_text.empty() || stop || it.generated == it.spec.max_tokens) return;
  }
}

} // namespace troupe
