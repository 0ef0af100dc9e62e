// The str methods that answer a question about a text and leave it as it is.
#pragma once

#include "model/template/runtime.hpp"

#include <string_view>

namespace troupe::jinja {

/// Null where there is none of that name.
native find_text_query(std::string_view name);

} // namespace troupe::jinja
