// Methods of lists, tuples and dicts. Those that change a container are allowed: it belongs to this
// rendering alone.
#pragma once

#include "model/template/runtime.hpp"

#include <string_view>

namespace troupe::jinja {

/// Null where the type has no method of that name.
native find_sequence_method(const sequence& self, std::string_view name);
native find_dict_method(std::string_view name);

} // namespace troupe::jinja
