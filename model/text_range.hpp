// A stretch of a text by byte offsets. The template engine marks with it what came from outside,
// and the tokenizer reads such stretches as plain text.
#pragma once

#include <cstddef>

namespace troupe {

/// The bytes [begin, end) of some text.
struct text_range {
  std::size_t begin = 0;
  std::size_t end = 0;

  friend bool operator==(const text_range&, const text_range&) = default;
};

} // namespace troupe
