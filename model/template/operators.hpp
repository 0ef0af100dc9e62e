// Python's operators: truth, equality, order, membership, arithmetic. Errors are Python's too: what
// would raise TypeError or UndefinedError there throws `fault` here.
#pragma once

#include "model/template/ast.hpp"
#include "model/template/runtime.hpp"

namespace troupe::jinja {

bool truth(const value& v);
/// Values of different types are unequal, not an error.
bool equal(render_budget& budget, const value& left, const value& right);
/// left < right.
bool less(render_budget& budget, const value& left, const value& right);
bool compare(runtime& run, comparison how, const value& left, const value& right);
bool contains(runtime& run, const value& container, const value& item);
value arithmetic(runtime& run, operation op, const value& left, const value& right);
value negate(const value& v, bool negative);
/// Code points of a text, items of anything else; throws where there is no length.
std::size_t length(const value& v);

[[noreturn]] void fail_undefined(const value& v);

} // namespace troupe::jinja
