// Python's str methods, on marked text. Filters of the same name share them.
#pragma once

#include "model/template/runtime.hpp"

#include <string_view>

namespace troupe::jinja {

/// The method as a function of (self, arguments), or null where str has none of that name.
native find_text_method(std::string_view name);

enum class side : std::uint8_t { both, left, right };

/// Without `chars`: white space.
text strip(runtime& run, const text& from, const text* chars, side which);
text replace(runtime& run, const text& from, const text& old, const text& fresh, std::int64_t most);
text upper(runtime& run, const text& from);
text lower(runtime& run, const text& from);
text capitalize(runtime& run, const text& from);
std::vector<text> split_lines(runtime& run, const text& from, bool keep_ends);
/// islower() and isupper().
bool is_cased(const text& from, bool upper);
text join(runtime& run, const text& separator, const std::vector<text>& parts);

} // namespace troupe::jinja
