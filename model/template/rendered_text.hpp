// What a template renders to, and the marks that keep a user's words from being read as control
// tokens. Apart from the engine, because the tokenizer takes it without knowing that templates
// exist.
#pragma once

#include "model/text_range.hpp"

#include <string>
#include <vector>

namespace troupe {

/// UTF-8 text. `untrusted` are the bytes that came from the caller's values: sorted, disjoint, not
/// touching, never empty.
struct rendered_text {
  std::string text;
  std::vector<text_range> untrusted;
};

} // namespace troupe
