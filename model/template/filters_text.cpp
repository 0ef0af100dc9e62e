// Filters on text. What is no text is printed first, as Jinja does with `soft_str`.
#include "model/template/filters.hpp"
#include "model/template/operators.hpp"
#include "model/template/print.hpp"
#include "model/template/printf_format.hpp"
#include "model/template/text_methods.hpp"
#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::jinja {
namespace {

std::int64_t number(const value* v, std::int64_t fallback, std::string_view what) {
  std::int64_t out = fallback;
  if (v && !is_none(*v) && !as_integer(*v, out))
    throw fault(fmt::format("{} must be a number, not a {}", what, type_name(*v)));
  return out;
}

template <text (*Change)(runtime&, const text&)>
value filter_change(runtime& run, const value& self, const arguments& given) {
  bind("the filter", given, {});
  return Change(run, to_text(run, self));
}

value filter_trim(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("trim", given, {"chars"});
  const text whole = to_text(run, self);
  if (!bound[0] || is_none(*bound[0])) return strip(run, whole, nullptr, side::both);
  if (!as_text(*bound[0])) throw fault("trim's characters must be a text");
  return strip(run, whole, as_text(*bound[0]), side::both);
}

/// Words begin after white space and after - ( { [ <.
text title_words(runtime& run, const text& from) {
  bool inside = false;
  return map_code_points(run.budget, from, [&](std::string& out, char32_t code) {
    if (is_space(code) || code == '-' || code == '(' || code == '{' || code == '[' || code == '<') {
      append_utf8(out, code);
      inside = false;
      return;
    }
    inside ? append_lower(out, code) : append_upper(out, code);
    inside = true;
  });
}

value filter_replace(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("replace", given, {"old", "new", "count"}, 2);
  return replace(run, plain(run.budget, to_text(run, self)), to_text(run, *bound[0]),
                 to_text(run, *bound[1]), number(bound[2], -1, "replace's count"));
}

value filter_indent(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("indent", given, {"width", "first", "blank"});
  const text* whole = as_text(self);
  if (!whole) {
    if (is_undefined(self)) fail_undefined(self);
    throw fault(
        fmt::format("indent needs a text, not a {}; convert it with |string", type_name(self)));
  }
  text margin;
  if (bound[0] && as_text(*bound[0])) {
    margin = *as_text(*bound[0]);
  } else {
    const std::int64_t width = std::max<std::int64_t>(number(bound[0], 4, "indent's width"), 0);
    run.budget.check_text(static_cast<std::size_t>(width));
    margin = run.make(std::string(static_cast<std::size_t>(width), ' '));
  }
  const bool blank = bound[2] && truth(*bound[2]);
  const std::vector<text> lines =
      split_lines(run, concat(run.budget, *whole, run.make("\n")), false);
  text_builder out(run.budget);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out.append("\n");
    const bool wanted = i == 0 ? bound[1] && truth(*bound[1]) : blank || !lines[i].empty();
    if (wanted) out.append(margin);
    out.append(lines[i]);
  }
  return std::move(out).build();
}

value filter_safe(runtime& run, const value& self, const arguments& given) {
  bind("safe", given, {});
  text_builder out(run.budget);
  out.append(to_text(run, self));
  return std::move(out).build(true);
}

value filter_escape(runtime& run, const value& self, const arguments& given) {
  bind("escape", given, {});
  return escape(run.budget, to_text(run, self));
}

value filter_forceescape(runtime& run, const value& self, const arguments& given) {
  bind("forceescape", given, {});
  return escape(run.budget, plain(run.budget, to_text(run, self)));
}

value filter_format(runtime& run, const value& self, const arguments& given) {
  const text pattern = to_text(run, self);
  if (given.named.empty()) return printf_format(run, pattern, given.positional, none{});
  if (!given.positional.empty()) throw fault("format takes values with names or without, not both");
  dict* named = run.make_dict();
  for (const auto& [name, held] : given.named) named->set(run.make(name), held);
  return printf_format(run, pattern, {}, named);
}

value filter_center(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("center", given, {"width"});
  arguments passed;
  passed.positional.push_back(bound[0] ? *bound[0] : value(std::int64_t{80}));
  return find_text_method("center")(run, to_text(run, self), passed);
}

value filter_wordcount(runtime& run, const value& self, const arguments& given) {
  bind("wordcount", given, {});
  std::int64_t words = 0;
  bool inside = false;
  each_code_point(to_text(run, self), [&](char32_t code, std::size_t, std::size_t, bool) {
    const bool word = is_alpha(code) || is_numeric(code) || code == '_';
    if (word && !inside) ++words;
    inside = word;
  });
  return words;
}

value filter_truncate(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("truncate", given, {"length", "killwords", "end", "leeway"});
  const std::int64_t length = number(bound[0], 255, "truncate's length");
  const std::int64_t leeway = number(bound[3], 5, "truncate's leeway");
  const text whole = to_text(run, self);
  const text end = bound[2] ? to_text(run, *bound[2]) : run.make("...");
  const auto end_length = static_cast<std::int64_t>(end.length());
  if (length < end_length || leeway < 0)
    throw fault("truncate's length must hold its end, and its leeway must not be negative");
  if (static_cast<std::int64_t>(whole.length()) <= length + leeway) return whole;
  std::size_t kept =
      byte_of_code_point(whole.view(), static_cast<std::size_t>(length - end_length));
  if (!bound[1] || !truth(*bound[1])) {
    const std::size_t space = whole.view().substr(0, kept).rfind(' ');
    if (space != std::string_view::npos) kept = space;
  }
  return concat(run.budget, slice_bytes(run.budget, whole, 0, kept), end);
}

constexpr filter_entry entries[] = {
    {"upper", filter_change<upper>},
    {"lower", filter_change<lower>},
    {"title", filter_change<title_words>},
    {"capitalize", filter_change<capitalize>},
    {"trim", filter_trim},
    {"replace", filter_replace},
    {"indent", filter_indent},
    {"safe", filter_safe},
    {"escape", filter_escape},
    {"e", filter_escape},
    {"forceescape", filter_forceescape},
    {"format", filter_format},
    {"center", filter_center},
    {"wordcount", filter_wordcount},
    {"truncate", filter_truncate},
};

} // namespace

std::span<const filter_entry> text_filters() { return entries; }

} // namespace troupe::jinja
