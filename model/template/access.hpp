// `a.b`, `a[b]` and `a[b:c:d]`. What a name after a dot can reach is decided here, and only here:
// entries of dicts, attributes of namespaces and loops, and the methods in the tables of this
// engine.
#pragma once

#include "model/template/runtime.hpp"

#include <string>

namespace troupe::jinja {

/// `name` is the key as a text; a missing attribute is undefined. Names that begin with "__" are
/// refused.
value get_attribute(runtime& run, const value& of, const text& name, const std::string& spelled);
value get_item(runtime& run, const value& of, const value& key);
/// Null bounds are left out.
value get_slice(runtime& run, const value& of, const value& begin, const value& end,
                const value& step);
/// A dotted path as filters take it ("a.b.0"), or an integer.
value get_path(runtime& run, const value& of, const value& path);

} // namespace troupe::jinja
