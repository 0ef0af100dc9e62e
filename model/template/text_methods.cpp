// The methods that cut and transform; those that only answer questions are in text_queries.cpp.
#include "model/template/text_methods.hpp"

#include "model/template/operators.hpp"
#include "model/template/printf_format.hpp"
#include "model/template/text_queries.hpp"
#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace troupe::jinja {
namespace {

const text& self_of(const value& self) { return *as_text(self); }

const text& text_argument(std::string_view method, const value& v) {
  const text* found = as_text(v);
  if (!found)
    throw fault(
        fmt::format("{} needs a text, not a {}; convert it with |string", method, type_name(v)));
  return *found;
}

std::int64_t count_argument(std::string_view method, const value* v, std::int64_t fallback) {
  std::int64_t count = 0;
  if (!v) return fallback;
  if (!as_integer(*v, count))
    throw fault(fmt::format("{} needs a number, not a {}", method, type_name(*v)));
  return count;
}

template <side Which>
value method_strip(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("strip", given, {"chars"});
  const text* chars =
      bound[0] && !is_none(*bound[0]) ? &text_argument("strip", *bound[0]) : nullptr;
  return strip(run, self_of(self), chars, Which);
}

value method_replace(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("replace", given, {"old", "new", "count"}, 2);
  return replace(run, self_of(self), text_argument("replace", *bound[0]),
                 text_argument("replace", *bound[1]), count_argument("replace", bound[2], -1));
}

using cuts = std::vector<text_range>;

/// The pieces between runs of white space.
cuts cut_at_spaces(std::string_view bytes, std::int64_t most, bool from_right) {
  cuts pieces;
  const auto space_at = [&](std::size_t at) { return is_space(decode(bytes, at).code); };
  const auto space_before = [&](std::size_t at) { return is_space(decode_before(bytes, at).code); };
  std::size_t begin = 0;
  std::size_t end = bytes.size();
  for (;; --most) {
    while (begin < end && space_at(begin)) begin += decode(bytes, begin).size;
    while (from_right && end > begin && space_before(end)) end -= decode_before(bytes, end).size;
    if (begin == end) return pieces;
    if (most == 0) {
      if (from_right) begin = 0;
      pieces.push_back({begin, end});
      return pieces;
    }
    if (from_right) {
      std::size_t first = end;
      while (first > begin && !space_before(first)) first -= decode_before(bytes, first).size;
      pieces.push_back({first, end});
      end = first;
    } else {
      std::size_t last = begin;
      while (last < end && !space_at(last)) last += decode(bytes, last).size;
      pieces.push_back({begin, last});
      begin = last;
    }
  }
}

cuts cut_at(std::string_view bytes, std::string_view separator, std::int64_t most,
            bool from_right) {
  cuts pieces;
  std::size_t begin = 0;
  std::size_t end = bytes.size();
  for (; most != 0; --most) {
    const auto inside = bytes.substr(begin, end - begin);
    const std::size_t found = from_right ? inside.rfind(separator) : inside.find(separator);
    if (found == std::string_view::npos) break;
    const std::size_t at = begin + found;
    if (from_right) {
      pieces.push_back({at + separator.size(), end});
      end = at;
    } else {
      pieces.push_back({begin, at});
      begin = at + separator.size();
    }
  }
  pieces.push_back({begin, end});
  return pieces;
}

template <bool FromRight>
value method_split(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("split", given, {"sep", "maxsplit"});
  const text& whole = self_of(self);
  const std::int64_t most = count_argument("split", bound[1], -1);
  cuts pieces;
  run.budget.scan(whole.size());
  if (!bound[0] || is_none(*bound[0])) {
    pieces = cut_at_spaces(whole.view(), most, FromRight);
  } else {
    const text& separator = text_argument("split", *bound[0]);
    if (separator.empty()) throw fault("split needs a separator that is not empty");
    pieces = cut_at(whole.view(), separator.view(), most, FromRight);
  }
  if (FromRight) std::reverse(pieces.begin(), pieces.end());
  run.budget.step(pieces.size());
  std::vector<value> parts;
  for (const text_range& piece : pieces)
    parts.emplace_back(slice_bytes(run.budget, whole, piece.begin, piece.end));
  return run.make_list(std::move(parts));
}

template <bool FromRight>
value method_partition(runtime& run, const value& self, const arguments& given) {
  const text& whole = self_of(self);
  const text& separator = text_argument("partition", *bind("partition", given, {"sep"}, 1)[0]);
  if (separator.empty()) throw fault("partition needs a separator that is not empty");
  const std::size_t at =
      FromRight ? whole.view().rfind(separator.view()) : whole.view().find(separator.view());
  if (at == std::string_view::npos) {
    return FromRight ? run.make_tuple({text(), text(), whole})
                     : run.make_tuple({whole, text(), text()});
  }
  const std::size_t after = at + separator.size();
  return run.make_tuple({slice_bytes(run.budget, whole, 0, at), separator,
                         slice_bytes(run.budget, whole, after, whole.size())});
}

value method_splitlines(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("splitlines", given, {"keepends"});
  std::vector<value> lines;
  for (text& line : split_lines(run, self_of(self), bound[0] && truth(*bound[0])))
    lines.emplace_back(std::move(line));
  return run.make_list(std::move(lines));
}

value method_join(runtime& run, const value& self, const arguments& given) {
  std::vector<text> parts;
  for (const value& part : items_of(run, *bind("join", given, {"iterable"}, 1)[0]))
    parts.push_back(text_argument("join", part));
  return join(run, self_of(self), parts);
}

template <text (*Change)(runtime&, const text&)>
value method_change(runtime& run, const value& self, const arguments& given) {
  bind("the method", given, {});
  return Change(run, self_of(self));
}

text title(runtime& run, const text& from) {
  bool inside = false;
  return map_code_points(run.budget, from, [&](std::string& out, char32_t code) {
    inside ? append_lower(out, code) : append_title(out, code);
    inside = is_alpha(code);
  });
}

text swapcase(runtime& run, const text& from) {
  return map_code_points(run.budget, from, [](std::string& out, char32_t code) {
    is_upper(code) ? append_lower(out, code) : append_upper(out, code);
  });
}

value method_format(runtime& run, const value& self, const arguments& given) {
  return brace_format(run, self_of(self), given);
}

template <bool Prefix>
value method_remove(runtime& run, const value& self, const arguments& given) {
  const text& whole = self_of(self);
  const text& part = text_argument("removeprefix", *bind("removeprefix", given, {"affix"}, 1)[0]);
  if (Prefix && whole.view().starts_with(part.view()))
    return slice_bytes(run.budget, whole, part.size(), whole.size());
  if (!Prefix && whole.view().ends_with(part.view()))
    return slice_bytes(run.budget, whole, 0, whole.size() - part.size());
  return whole;
}

/// ljust, rjust and center: `share` of two is how much of the padding goes before.
template <int Share>
value method_pad(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("the method", given, {"width", "fillchar"}, 1);
  const text& whole = self_of(self);
  const std::int64_t width = count_argument("the method", bound[0], 0);
  const text space = run.make(" ");
  const text& fill = bound[1] ? text_argument("the method", *bound[1]) : space;
  if (fill.length() != 1) throw fault("padding needs one character to fill with");
  const auto length = static_cast<std::int64_t>(whole.length());
  if (width <= length) return whole;
  if (width > std::numeric_limits<std::int32_t>::max())
    throw fault("padding this wide is refused; use a smaller width");
  const std::int64_t missing = width - length;
  const std::int64_t before =
      Share == 1 ? missing / 2 + (missing & width & 1) : Share * missing / 2;
  text_builder out(run.budget);
  for (std::int64_t i = 0; i < before; ++i) out.append(fill);
  out.append(whole);
  for (std::int64_t i = before; i < missing; ++i) out.append(fill);
  return std::move(out).build(whole.markup());
}

struct method_entry {
  std::string_view name;
  native run;
};

constexpr method_entry methods[] = {
    {"strip", method_strip<side::both>},
    {"lstrip", method_strip<side::left>},
    {"rstrip", method_strip<side::right>},
    {"replace", method_replace},
    {"split", method_split<false>},
    {"rsplit", method_split<true>},
    {"partition", method_partition<false>},
    {"rpartition", method_partition<true>},
    {"splitlines", method_splitlines},
    {"join", method_join},
    {"upper", method_change<upper>},
    {"lower", method_change<lower>},
    {"casefold", method_change<lower>},
    {"title", method_change<title>},
    {"capitalize", method_change<capitalize>},
    {"swapcase", method_change<swapcase>},
    {"format", method_format},
    {"removeprefix", method_remove<true>},
    {"removesuffix", method_remove<false>},
    {"ljust", method_pad<0>},
    {"center", method_pad<1>},
    {"rjust", method_pad<2>},
};

} // namespace

native find_text_method(std::string_view name) {
  for (const method_entry& entry : methods) {
    if (entry.name == name) return entry.run;
  }
  return find_text_query(name);
}

text strip(runtime& run, const text& from, const text* chars, side which) {
  run.budget.scan(from.size() * (chars ? chars->size() + 1 : 1));
  const std::string_view bytes = from.view();
  const auto goes = [&](const code_point& found, std::size_t at) {
    if (!chars) return is_space(found.code);
    const std::string_view one = bytes.substr(at, found.size);
    for (std::size_t i = 0; i < chars->size(); i += decode(chars->view(), i).size) {
      if (chars->view().substr(i, decode(chars->view(), i).size) == one) return true;
    }
    return false;
  };
  std::size_t begin = 0;
  std::size_t end = bytes.size();
  while (which != side::right && begin < end && goes(decode(bytes, begin), begin))
    begin += decode(bytes, begin).size;
  while (which != side::left && end > begin) {
    const code_point last = decode_before(bytes, end);
    if (!goes(last, end - last.size)) break;
    end -= last.size;
  }
  return slice_bytes(run.budget, from, begin, end);
}

text replace(runtime& run, const text& from, const text& old, const text& fresh,
             std::int64_t most) {
  const std::string_view bytes = from.view();
  run.budget.scan(bytes.size());
  text_builder out(run.budget);
  const text inserted = from.markup() ? escape(run.budget, fresh) : fresh;
  std::size_t at = 0;
  if (old.empty()) {
    for (; most != 0; --most) {
      out.append(inserted);
      if (at >= bytes.size()) break;
      const std::size_t size = decode(bytes, at).size;
      out.append(from, at, at + size);
      at += size;
    }
    if (at < bytes.size()) out.append(from, at, bytes.size());
    return std::move(out).build(from.markup());
  }
  for (; most != 0; --most) {
    const std::size_t found = bytes.find(old.view(), at);
    if (found == std::string_view::npos) break;
    out.append(from, at, found);
    out.append(inserted);
    at = found + old.size();
  }
  if (at == 0) return from;
  out.append(from, at, bytes.size());
  return std::move(out).build(from.markup());
}

text upper(runtime& run, const text& from) {
  return map_code_points(run.budget, from, append_upper);
}

/// A capital sigma at the end of a word has a small form of its own.
text lower(runtime& run, const text& from) {
  if (from.ascii()) return map_code_points(run.budget, from, append_lower);
  const std::string_view bytes = from.view();
  std::size_t after = 0;
  bool in_word = false;
  return map_code_points(run.budget, from, [&](std::string& out, char32_t code) {
    after += decode(bytes, after).size;
    const bool last = after >= bytes.size() || !is_alpha(decode(bytes, after).code);
    if (code == 0x3A3 && in_word && last) {
      append_utf8(out, 0x3C2);
    } else {
      append_lower(out, code);
    }
    in_word = is_alpha(code);
  });
}

text capitalize(runtime& run, const text& from) {
  bool first = true;
  return map_code_points(run.budget, from, [&](std::string& out, char32_t code) {
    first ? append_title(out, code) : append_lower(out, code);
    first = false;
  });
}

std::vector<text> split_lines(runtime& run, const text& from, bool keep_ends) {
  const std::string_view bytes = from.view();
  std::vector<text> lines;
  run.budget.scan(bytes.size());
  std::size_t begin = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const code_point found = decode(bytes, at);
    std::size_t after = at + found.size;
    if (is_line_break(found.code)) {
      if (found.code == '\r' && after < bytes.size() && bytes[after] == '\n') ++after;
      run.budget.step();
      lines.push_back(slice_bytes(run.budget, from, begin, keep_ends ? after : at));
      begin = after;
    }
    at = after;
  }
  if (begin < bytes.size()) lines.push_back(slice_bytes(run.budget, from, begin, bytes.size()));
  return lines;
}

bool is_cased(const text& from, bool wanted_upper) {
  bool any = false;
  bool wrong = false;
  each_code_point(from, [&](char32_t code, std::size_t, std::size_t, bool) {
    any = any || (wanted_upper ? is_upper(code) : is_lower(code));
    wrong = wrong || is_title(code) || (wanted_upper ? is_lower(code) : is_upper(code));
  });
  return any && !wrong;
}

text join(runtime& run, const text& separator, const std::vector<text>& parts) {
  text_builder out(run.budget);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out.append(separator);
    out.append(parts[i]);
  }
  return std::move(out).build();
}

} // namespace troupe::jinja
