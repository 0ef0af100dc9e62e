// The two formatting languages of Python's strings: `"%s" % x` with the `format` filter, and
// `"{}".format(x)`.
#pragma once

#include "model/template/runtime.hpp"

#include <vector>

namespace troupe::jinja {

/// `given` are the positional values; `whole` is the right operand itself, for %(name)s.
text printf_format(runtime& run, const text& pattern, const std::vector<value>& given,
                   const value& whole);

/// Fields by position, number or name, with a conversion (!r) and a format spec; attributes and
/// items of fields are refused.
text brace_format(runtime& run, const text& pattern, const arguments& given);

} // namespace troupe::jinja
