// What somebody probably meant by a name that does not exist.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// A way to spell a name, and the name to suggest to whoever wrote something close to it.
struct spelling {
  std::string written;
  std::string meant;
};

/// Insertions, removals, replacements and swaps of neighbours that turn `a` into `b` (optimal
/// string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The `meant` of the closest spelling; the first of equals. Empty where nothing is close: more
/// than a third of the word would have to change, or the word is longer than any name here.
std::string nearest(std::string_view word, std::span<const spelling> spellings);

/// "; did you mean X?", or nothing where nothing is close.
std::string suggestion(std::string_view word, std::span<const spelling> spellings);

} // namespace troupe
