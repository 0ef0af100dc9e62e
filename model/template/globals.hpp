// The functions a template finds without being given them: range, namespace, raise_exception, ...
#pragma once

#include "model/template/runtime.hpp"

#include <string_view>

namespace troupe::jinja {

/// Undefined where there is none of that name.
value find_global(runtime& run, std::string_view name, bool has_clock);

} // namespace troupe::jinja
