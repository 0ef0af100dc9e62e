// How values become text: Python's str() and repr(), and json.dumps().
#pragma once

#include "model/template/runtime.hpp"

#include <string>

namespace troupe::jinja {

/// str(): what `{{ v }}` prints.
text to_text(runtime& run, const value& v);
/// repr().
void append_repr(runtime& run, text_builder& out, const value& v);
/// The shortest digits that read back as the same double, laid out as Python does: 1.0, 1e+16, inf.
std::string format_real(double real);

} // namespace troupe::jinja
