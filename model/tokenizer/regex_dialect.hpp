// Between the dialects of regular expressions: patterns are written for Oniguruma and run by PCRE2.
#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// `pattern`, written for Oniguruma (Ruby syntax, Unicode), as PCRE2 with UTF, UCP and MULTILINE
/// matches the same. Throws std::invalid_argument for what has no counterpart: sets within sets,
/// intersections, \W and \H within a set.
std::string from_oniguruma(std::string_view pattern);

/// A pattern that matches `text` and nothing else.
std::string quoted(std::string_view text);

} // namespace troupe
