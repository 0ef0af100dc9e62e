// One table, one small function a test.
#include "model/template/tests.hpp"

#include "model/template/filters.hpp"
#include "model/template/operators.hpp"
#include "model/template/print.hpp"
#include "model/template/text_methods.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::jinja {
namespace {

void expect_none(const arguments& given) { bind("the test", given, {}); }

const value& only(const arguments& given) { return *bind("the test", given, {"value"}, 1)[0]; }

template <comparison How>
bool compares(runtime& run, const value& v, const arguments& given) {
  return compare(run, How, v, only(given));
}

template <bool (*Holds)(const value&)>
bool simple(runtime&, const value& v, const arguments& given) {
  expect_none(given);
  return Holds(v);
}

bool is_defined(const value& v) { return !is_undefined(v); }
bool is_boolean(const value& v) { return std::holds_alternative<bool>(v); }
bool is_true(const value& v) { return is_boolean(v) && std::get<bool>(v); }
bool is_false(const value& v) { return is_boolean(v) && !std::get<bool>(v); }
bool is_integer(const value& v) { return std::holds_alternative<std::int64_t>(v); }
bool is_float(const value& v) { return std::holds_alternative<double>(v); }
bool is_number(const value& v) { return is_boolean(v) || is_integer(v) || is_float(v); }
bool is_string(const value& v) { return as_text(v) != nullptr; }
bool is_mapping(const value& v) { return as_dict(v) != nullptr; }
bool is_escaped(const value& v) { return is_string(v) && as_text(v)->markup(); }
bool is_iterable(const value& v) {
  return is_string(v) || is_mapping(v) || as_sequence(v) || is_undefined(v) ||
         std::holds_alternative<loop_state*>(v);
}
bool is_sequence(const value& v) {
  const sequence* items = as_sequence(v);
  return is_string(v) || is_mapping(v) || is_undefined(v) ||
         (items && items->form <= sequence_form::range);
}
bool is_callable(const value& v) {
  return is_undefined(v) || std::holds_alternative<function*>(v) ||
         std::holds_alternative<macro_value*>(v) || std::holds_alternative<loop_state*>(v);
}

/// v % divisor == rest
bool has_rest(runtime& run, const value& v, const value& divisor, std::int64_t rest) {
  return equal(run.budget, arithmetic(run, operation::modulo, v, divisor), rest);
}
bool is_odd(runtime& run, const value& v, const arguments& given) {
  expect_none(given);
  return has_rest(run, v, std::int64_t{2}, 1);
}
bool is_even(runtime& run, const value& v, const arguments& given) {
  expect_none(given);
  return has_rest(run, v, std::int64_t{2}, 0);
}
bool is_divisible(runtime& run, const value& v, const arguments& given) {
  return has_rest(run, v, only(given), 0);
}
bool is_in(runtime& run, const value& v, const arguments& given) {
  return contains(run, only(given), v);
}

bool is_same(runtime& run, const value& v, const arguments& given) {
  const value& other = only(given);
  if (v.index() != other.index()) return false;
  if (const sequence* items = as_sequence(v)) return items == as_sequence(other);
  if (const dict* entries = as_dict(v)) return entries == as_dict(other);
  return equal(run.budget, v, other);
}

template <bool Upper>
bool has_case(runtime& run, const value& v, const arguments& given) {
  expect_none(given);
  return is_cased(to_text(run, v), Upper);
}

bool is_filter(runtime&, const value& v, const arguments& given) {
  expect_none(given);
  return is_string(v) && find_filter(as_text(v)->view());
}
bool is_test(runtime&, const value& v, const arguments& given) {
  expect_none(given);
  return is_string(v) && find_test(as_text(v)->view());
}

constexpr test_entry entries[] = {
    {"defined", simple<is_defined>},
    {"undefined", simple<is_undefined>},
    {"none", simple<is_none>},
    {"boolean", simple<is_boolean>},
    {"true", simple<is_true>},
    {"false", simple<is_false>},
    {"integer", simple<is_integer>},
    {"float", simple<is_float>},
    {"number", simple<is_number>},
    {"string", simple<is_string>},
    {"mapping", simple<is_mapping>},
    {"iterable", simple<is_iterable>},
    {"sequence", simple<is_sequence>},
    {"callable", simple<is_callable>},
    {"escaped", simple<is_escaped>},
    {"odd", is_odd},
    {"even", is_even},
    {"divisibleby", is_divisible},
    {"in", is_in},
    {"sameas", is_same},
    {"lower", has_case<false>},
    {"upper", has_case<true>},
    {"filter", is_filter},
    {"test", is_test},
    {"==", compares<comparison::equal>},
    {"eq", compares<comparison::equal>},
    {"equalto", compares<comparison::equal>},
    {"!=", compares<comparison::unequal>},
    {"ne", compares<comparison::unequal>},
    {">", compares<comparison::greater>},
    {"gt", compares<comparison::greater>},
    {"greaterthan", compares<comparison::greater>},
    {">=", compares<comparison::greater_equal>},
    {"ge", compares<comparison::greater_equal>},
    {"<", compares<comparison::less>},
    {"lt", compares<comparison::less>},
    {"lessthan", compares<comparison::less>},
    {"<=", compares<comparison::less_equal>},
    {"le", compares<comparison::less_equal>},
};

} // namespace

const test_entry* find_test(std::string_view name) {
  const auto* found = std::find_if(std::begin(entries), std::end(entries),
                                   [&](const auto& entry) { return entry.name == name; });
  return found == std::end(entries) ? nullptr : found;
}

} // namespace troupe::jinja
