// Positions are code points, as Python counts them; ASCII texts, the usual case, need no counting.
#include "model/template/text_queries.hpp"

#include "model/template/operators.hpp"
#include "model/template/text_methods.hpp"
#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::jinja {
namespace {

const text& part_of(const value& v) {
  const text* found = as_text(v);
  if (!found) throw fault(fmt::format("a search in a text needs a text, not a {}", type_name(v)));
  return *found;
}

/// Bytes [begin, end) for Python's optional start and stop; false where start lies behind the text.
bool window(const text& whole, const value* start, const value* stop, text_range& out) {
  const auto length = static_cast<std::int64_t>(whole.length());
  const auto place = [&](const value* v, std::int64_t fallback) {
    std::int64_t at = fallback;
    if (v && !is_none(*v) && !as_integer(*v, at))
      throw fault("start and stop of a search must be numbers");
    return std::max<std::int64_t>(at < 0 ? at + length : at, 0);
  };
  const std::int64_t first = place(start, 0);
  const std::int64_t last = std::min(place(stop, length), length);
  if (first > last) return false;
  out.begin = byte_of_code_point(whole.view(), static_cast<std::size_t>(first));
  out.end = byte_of_code_point(whole.view(), static_cast<std::size_t>(last));
  return true;
}

enum class found_by : std::uint8_t { find, rfind, index, rindex };

template <found_by How>
value method_find(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("find", given, {"sub", "start", "end"}, 1);
  const text& whole = *as_text(self);
  const text& part = part_of(*bound[0]);
  run.budget.scan(whole.size());
  text_range within;
  std::size_t at = std::string_view::npos;
  if (window(whole, bound[1], bound[2], within)) {
    const auto inside = whole.view().substr(within.begin, within.end - within.begin);
    at = How == found_by::find || How == found_by::index ? inside.find(part.view())
                                                         : inside.rfind(part.view());
  }
  if (at == std::string_view::npos) {
    if (How == found_by::index || How == found_by::rindex)
      throw fault("index() did not find its text; use find()");
    return std::int64_t{-1};
  }
  return static_cast<std::int64_t>(count_code_points(whole.view().substr(0, within.begin + at)));
}

value method_count(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("count", given, {"sub", "start", "end"}, 1);
  const text& whole = *as_text(self);
  const text& part = part_of(*bound[0]);
  run.budget.scan(whole.size());
  text_range within;
  std::int64_t count = 0;
  if (!window(whole, bound[1], bound[2], within)) return count;
  const auto inside = whole.view().substr(within.begin, within.end - within.begin);
  if (part.empty()) return static_cast<std::int64_t>(count_code_points(inside)) + 1;
  for (std::size_t at = inside.find(part.view()); at != std::string_view::npos;
       at = inside.find(part.view(), at + part.size())) {
    ++count;
  }
  return count;
}

template <bool Start>
value method_affix(runtime&, const value& self, const arguments& given) {
  const auto bound = bind(Start ? "startswith" : "endswith", given, {"affix", "start", "end"}, 1);
  const text& whole = *as_text(self);
  text_range within;
  const bool inside = window(whole, bound[1], bound[2], within);
  const auto bytes = whole.view().substr(within.begin, within.end - within.begin);
  const auto holds = [&](const value& v) {
    const std::string_view affix = part_of(v).view();
    return inside && (Start ? bytes.starts_with(affix) : bytes.ends_with(affix));
  };
  const sequence* many = as_sequence(*bound[0]);
  if (many && many->form == sequence_form::tuple)
    return std::any_of(many->items.begin(), many->items.end(), holds);
  return holds(*bound[0]);
}

template <bool (*Holds)(char32_t)>
value method_all(runtime& run, const value& self, const arguments& given) {
  bind("the method", given, {});
  const text& whole = *as_text(self);
  run.budget.scan(whole.size());
  bool all = !whole.empty();
  each_code_point(whole,
                  [&](char32_t code, std::size_t, std::size_t, bool) { all = all && Holds(code); });
  return all;
}

bool is_alphanumeric(char32_t code) { return is_alpha(code) || is_numeric(code); }

template <bool Upper>
value method_cased(runtime&, const value& self, const arguments& given) {
  bind("the method", given, {});
  return is_cased(*as_text(self), Upper);
}

value method_isascii(runtime&, const value& self, const arguments& given) {
  bind("isascii", given, {});
  return as_text(self)->ascii();
}

struct method_entry {
  std::string_view name;
  native run;
};

constexpr method_entry methods[] = {
    {"find", method_find<found_by::find>},
    {"rfind", method_find<found_by::rfind>},
    {"index", method_find<found_by::index>},
    {"rindex", method_find<found_by::rindex>},
    {"count", method_count},
    {"startswith", method_affix<true>},
    {"endswith", method_affix<false>},
    {"isspace", method_all<is_space>},
    {"isdigit", method_all<is_digit>},
    {"isdecimal", method_all<is_decimal>},
    {"isnumeric", method_all<is_numeric>},
    {"isalpha", method_all<is_alpha>},
    {"isalnum", method_all<is_alphanumeric>},
    {"isascii", method_isascii},
    {"isupper", method_cased<true>},
    {"islower", method_cased<false>},
};

} // namespace

native find_text_query(std::string_view name) {
  for (const method_entry& entry : methods) {
    if (entry.name == name) return entry.run;
  }
  return nullptr;
}

} // namespace troupe::jinja
