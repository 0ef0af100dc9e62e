// The field "pattern" of tokenizer.json, which normalizers and pre-tokenizers share: {"String":
// ...} or {"Regex": ...}.
#pragma once

#include "model/tokenizer/regex.hpp"

#include <string_view>

namespace troupe {

class json_field;

/// Throws model_error, naming the field, for an empty string and for a regular expression that
/// `regex` refuses.
regex read_pattern(const json_field& pattern);

} // namespace troupe
