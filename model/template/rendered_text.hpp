// What a template renders to, and the marks that keep a user's words from being read as control
// tokens. Apart from the engine, because the tokenizer takes it without knowing that templates
// exist.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace troupe {

/// Bytes [begin, end) of a text.
struct text_range {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const text_range&) const = default;
};

/// UTF-8 text. `untrusted` are the bytes that came from the caller's values: sorted, disjoint, not
/// touching, never empty.
struct rendered_text {
  std::string text;
  std::vector<text_range> untrusted;
};

} // namespace troupe
