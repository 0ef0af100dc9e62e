// Edit distance by three rows of the usual table. Words beyond 80 bytes are not names that somebody
// mistyped, and leaving them out bounds the work that a hostile file can cause.
#include "config/nearest.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace troupe {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string nearest(std::string_view word, std::span<const spelling> spellings) {
  constexpr std::size_t longest_name = 80;
  if (word.empty() || word.size() > longest_name) return {};
  std::size_t best = std::max<std::size_t>(word.size() / 3, 1) + 1;
  std::string meant;
  for (const spelling& candidate : spellings) {
    const std::size_t distance = edit_distance(word, candidate.written);
    if (distance >= best) continue;
    best = distance;
    meant = candidate.meant;
  }
  return meant;
}

std::string suggestion(std::string_view word, std::span<const spelling> spellings) {
  const std::string meant = nearest(word, spellings);
  return meant.empty() ? std::string() : "; did you mean " + meant + "?";
}

} // namespace troupe
