#include "actors/logic/stop_matcher.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

std::string stop_matcher::feed(std::string_view piece) {
  if (matched_) return {};
  held_ += piece;
  std::size_t end = std::string::npos;
  const std::string* found = nullptr;
  for (const auto& stop : stops_) {
    const auto at = held_.find(stop);
    if (at == std::string::npos) continue;
    const auto stop_end = at + stop.size();
    if (!found || stop_end < end || (stop_end == end && stop.size() > found->size())) {
      found = &stop;
      end = stop_end;
    }
  }
  if (found) {
    matched_ = *found;
    held_.resize(keep_ ? end : end - found->size());
    return std::exchange(held_, {});
  }
  const auto clear = clear_length();
  auto out = held_.substr(0, clear);
  held_.erase(0, clear);
  return out;
}

// Everything before the longest end of held_ that begins a stop string.
std::size_t stop_matcher::clear_length() const {
  std::size_t longest = 0;
  for (const auto& stop : stops_) {
    for (auto length = std::min(stop.size() - 1, held_.size()); length > longest; --length) {
      if (held_.ends_with(std::string_view{stop}.substr(0, length))) {
        longest = length;
        break;
      }
    }
  }
  return held_.size() - longest;
}

std::string stop_matcher::flush() { return std::exchange(held_, {}); }

} // namespace troupe
