// Both languages end in the same specification (fill, width, precision, type), applied by
// `format_one`. Numbers go through fmt, whose rules for them are Python's.
#include "model/template/printf_format.hpp"

#include "model/template/operators.hpp"
#include "model/template/print.hpp"
#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::jinja {
namespace {

struct specification {
  std::string fill = " ";
  char align = '\0';
  std::string sign;
  bool alternative = false;
  bool zero = false;
  bool comma = false;
  std::size_t width = 0;
  int precision = -1;
  char type = '\0';
};

constexpr std::size_t widest = 1'000'000;

[[noreturn]] void fail_format(std::string_view what) {
  throw fault(fmt::format("a format string is wrong: {}", what));
}

std::size_t read_count(std::string_view in, std::size_t& at) {
  std::size_t count = 0;
  for (; at < in.size() && in[at] >= '0' && in[at] <= '9'; ++at) {
    count = count * 10 + static_cast<std::size_t>(in[at] - '0');
    if (count > widest) fail_format("a width is too large; use a smaller one");
  }
  return count;
}

void append_padded(text_builder& out, const text& body, const specification& spec, char fallback) {
  const std::size_t length = body.length();
  const std::size_t missing = spec.width > length ? spec.width - length : 0;
  const char align = spec.align ? spec.align : fallback;
  const std::size_t before = align == '>' ? missing : align == '^' ? missing / 2 : 0;
  const auto pad = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out.append(spec.fill);
  };
  pad(before);
  out.append(body);
  pad(missing - before);
}

std::string number_text(const value& v, specification spec) {
  std::int64_t whole = 0;
  double real = 0;
  const std::string flags = spec.sign + (spec.alternative ? "#" : "");
  const std::string precision = spec.precision >= 0 ? fmt::format(".{}", spec.precision) : "";
  const bool integral = as_integer(v, whole) &&
                        std::string_view("\0dbcoxXn", 8).find(spec.type) != std::string_view::npos;
  std::string made;
  if (integral) {
    const char type = spec.type == '\0' || spec.type == 'n' ? 'd' : spec.type;
    made = fmt::format(fmt::runtime("{:" + flags + type + "}"), whole);
  } else if (as_real(v, real)) {
    if (spec.type == '\0' && spec.precision < 0) {
      made = format_real(real);
      if (real >= 0 && !spec.sign.empty() && spec.sign != "-") made = spec.sign + made;
    } else if (spec.type == '%') {
      made = fmt::format(
          fmt::runtime("{:" + flags + (precision.empty() ? ".6" : precision) + "f}%"), real * 100);
    } else if (std::string_view("\0eEfFgGn", 8).find(spec.type) != std::string_view::npos) {
      const char type = spec.type == '\0' || spec.type == 'n' ? 'g' : spec.type;
      made = fmt::format(fmt::runtime("{:" + flags + precision + type + "}"), real);
    } else {
      fail_format("a number does not take this type; use d or f");
    }
  } else {
    fail_format(
        fmt::format("a {} where a number is needed; convert it with |int or |float", type_name(v)));
  }
  const std::size_t first_digit = made.find_first_of("0123456789");
  if (spec.comma && first_digit != std::string::npos) {
    std::size_t end = made.find_first_not_of("0123456789", first_digit);
    if (end == std::string::npos) end = made.size();
    for (; end > first_digit + 3; end -= 3) made.insert(end - 3, ",");
  }
  if (spec.zero && first_digit != std::string::npos && made.size() < spec.width) {
    made.insert(made[0] == '-' || made[0] == '+' || made[0] == ' ' ? 1 : 0,
                std::string(spec.width - made.size(), '0'));
  }
  return made;
}

text cut(runtime& run, const text& body, int precision) {
  if (precision < 0) return body;
  return slice_bytes(run.budget, body, 0,
                     byte_of_code_point(body.view(), static_cast<std::size_t>(precision)));
}

/// One field of "%...".
void append_percent(runtime& run, text_builder& out, const value& v, specification spec) {
  switch (spec.type) {
  case 's':
    return append_padded(out, cut(run, to_text(run, v), spec.precision), spec, '>');
  case 'r':
  case 'a': {
    text_builder repr(run.budget);
    append_repr(run, repr, v);
    return append_padded(out, cut(run, std::move(repr).build(), spec.precision), spec, '>');
  }
  case 'c': {
    std::int64_t code = 0;
    const text* letter = as_text(v);
    if (letter && letter->length() == 1) return append_padded(out, *letter, spec, '>');
    if (!as_integer(v, code) || code < 0 || code > 0x10FFFF) fail_format("%c takes one character");
    std::string bytes;
    append_utf8(bytes, static_cast<char32_t>(code));
    return append_padded(out, make_text(run.budget, bytes, true), spec, '>');
  }
  default:
    break;
  }
  value number = v;
  if (spec.type == 'd' || spec.type == 'i' || spec.type == 'u') {
    if (const auto* real = std::get_if<double>(&v)) {
      if (!(std::abs(*real) < 9.2e18)) fail_format("a number does not fit 64 bits");
      number = static_cast<std::int64_t>(*real);
    }
    spec.type = 'd';
  } else if (std::string_view("eEfFgGoxX").find(spec.type) == std::string_view::npos) {
    fail_format(fmt::format("%{} is not known; use %s or %d", spec.type));
  } else if (spec.precision < 0 &&
             std::string_view("eEfFgG").find(spec.type) != std::string_view::npos) {
    spec.precision = 6;
  }
  if (spec.align == '<') spec.zero = false;
  append_padded(out, run.make(number_text(number, spec)), spec, '>');
}

/// Takes positional values in turn.
class values_in_turn {
 public:
  explicit values_in_turn(const std::vector<value>& given) : given_(given) {}
  const value& next() {
    if (next_ >= given_.size()) fail_format("it asks for more values than there are");
    return given_[next_++];
  }
  bool all_taken() const { return next_ >= given_.size(); }

 private:
  const std::vector<value>& given_;
  std::size_t next_ = 0;
};

specification read_percent(std::string_view bytes, std::size_t& at, values_in_turn& turn) {
  specification spec;
  for (; at < bytes.size() && std::string_view("-+ #0").find(bytes[at]) != std::string_view::npos;
       ++at) {
    if (bytes[at] == '-') spec.align = '<';
    if (bytes[at] == '+' || (bytes[at] == ' ' && spec.sign.empty())) spec.sign = bytes[at];
    if (bytes[at] == '#') spec.alternative = true;
    if (bytes[at] == '0') spec.zero = true;
  }
  std::int64_t star = 0;
  if (at < bytes.size() && bytes[at] == '*') {
    if (!as_integer(turn.next(), star) || star < 0 || star > static_cast<std::int64_t>(widest))
      fail_format("a wrong width");
    spec.width = static_cast<std::size_t>(star);
    ++at;
  } else {
    spec.width = read_count(bytes, at);
  }
  if (at < bytes.size() && bytes[at] == '.')
    spec.precision = static_cast<int>(read_count(bytes, ++at));
  while (at < bytes.size() && (bytes[at] == 'l' || bytes[at] == 'h' || bytes[at] == 'L')) ++at;
  if (at >= bytes.size()) fail_format("it ends inside a field; complete it");
  spec.type = bytes[at++];
  return spec;
}

specification read_brace(const text& written) {
  const std::string_view in = written.view();
  specification spec;
  std::size_t at = 0;
  const auto is_align = [](char c) { return c == '<' || c == '>' || c == '^' || c == '='; };
  if (!in.empty()) {
    const std::size_t first = decode(in, 0).size;
    if (first < in.size() && is_align(in[first])) {
      spec.fill = in.substr(0, first);
      spec.align = in[first];
      at = first + 1;
    } else if (is_align(in[0])) {
      spec.align = in[at++];
    }
  }
  if (at < in.size() && (in[at] == '+' || in[at] == '-' || in[at] == ' ')) spec.sign = in[at++];
  if (at < in.size() && in[at] == '#') spec.alternative = ++at > 0;
  if (at < in.size() && in[at] == '0') spec.zero = ++at > 0;
  spec.width = read_count(in, at);
  if (at < in.size() && in[at] == ',') spec.comma = ++at > 0;
  if (at < in.size() && in[at] == '.') spec.precision = static_cast<int>(read_count(in, ++at));
  if (at < in.size()) spec.type = in[at++];
  if (at != in.size()) fail_format(fmt::format("\"{}\" is no format; use one like >10 or .2f", in));
  return spec;
}

void append_brace(runtime& run, text_builder& out, const value& v, char conversion,
                  const text& written) {
  text shown;
  bool textual = true;
  if (conversion == 'r' || conversion == 'a') {
    text_builder repr(run.budget);
    append_repr(run, repr, v);
    shown = std::move(repr).build();
  } else if (conversion == 's' || as_text(v)) {
    shown = to_text(run, v);
  } else if (conversion != '\0') {
    fail_format("a conversion is !s, !r or !a");
  } else {
    double real = 0;
    textual = written.empty() || !as_real(v, real);
    if (textual) shown = to_text(run, v);
  }
  if (textual && written.empty()) return out.append(shown);
  if (textual && !as_text(v) && conversion == '\0')
    fail_format(fmt::format("a {} takes no format", type_name(v)));
  specification spec = read_brace(written);
  if (!textual) return append_padded(out, run.make(number_text(v, spec)), spec, '>');
  if (spec.type != '\0' && spec.type != 's') fail_format("a text takes only the type s");
  append_padded(out, cut(run, shown, spec.precision), spec, '<');
}

const value& field_value(std::string_view name, const arguments& given, values_in_turn& turn) {
  if (name.empty()) return turn.next();
  if (name.find_first_of(".[") != std::string_view::npos)
    fail_format("fields of values are not supported; pass them by name");
  std::size_t at = 0;
  if (name[0] >= '0' && name[0] <= '9') {
    const std::size_t position = read_count(name, at);
    if (position >= given.positional.size()) fail_format("it asks for more values than there are");
    return given.positional[position];
  }
  for (const auto& [own, held] : given.named) {
    if (own == name) return held;
  }
  fail_format(fmt::format("there is no value \"{}\"; pass it", name));
}

} // namespace

text printf_format(runtime& run, const text& pattern, const std::vector<value>& given,
                   const value& whole) {
  const std::string_view bytes = pattern.view();
  text_builder out(run.budget);
  values_in_turn turn(given);
  bool by_name = as_dict(whole) != nullptr;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t mark = std::min(bytes.find('%', at), bytes.size());
    out.append(pattern, at, mark);
    at = mark + 1;
    if (mark == bytes.size()) break;
    if (at < bytes.size() && bytes[at] == '%') {
      out.append(pattern, at, at + 1);
      ++at;
      continue;
    }
    const value* named = nullptr;
    if (at < bytes.size() && bytes[at] == '(') {
      const std::size_t close = bytes.find(')', at);
      if (close == std::string_view::npos || !as_dict(whole)) fail_format("%(name) needs a dict");
      named = as_dict(whole)->find(bytes.substr(at + 1, close - at - 1));
      if (!named) fail_format("the dict lacks a name that it asks for");
      at = close + 1;
    }
    const specification spec = read_percent(bytes, at, turn);
    append_percent(run, out, named ? *named : turn.next(), spec);
  }
  if (!by_name && !turn.all_taken()) fail_format("it asks for fewer values than there are");
  return std::move(out).build(pattern.markup());
}

text brace_format(runtime& run, const text& pattern, const arguments& given) {
  const std::string_view bytes = pattern.view();
  text_builder out(run.budget);
  values_in_turn turn(given.positional);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t mark = std::min(bytes.find_first_of("{}", at), bytes.size());
    out.append(pattern, at, mark);
    if (mark == bytes.size()) break;
    at = mark + 1;
    if (at < bytes.size() && bytes[at] == bytes[mark]) {
      out.append(pattern, mark, mark + 1);
      ++at;
      continue;
    }
    const std::size_t close = bytes.find('}', at);
    if (bytes[mark] == '}' || close == std::string_view::npos)
      fail_format("a brace has no partner; double it");
    std::string_view field = bytes.substr(at, close - at);
    if (field.find('{') != std::string_view::npos)
      fail_format("a field within a field is not supported");
    text written;
    if (const std::size_t colon = field.find(':'); colon != std::string_view::npos) {
      written = slice_bytes(run.budget, pattern, at + colon + 1, close);
      field = field.substr(0, colon);
    }
    char conversion = '\0';
    if (const std::size_t bang = field.find('!'); bang != std::string_view::npos) {
      conversion = bang + 1 < field.size() ? field[bang + 1] : '?';
      field = field.substr(0, bang);
    }
    append_brace(run, out, field_value(field, given, turn), conversion, written);
    at = close + 1;
  }
  return std::move(out).build(pattern.markup());
}

} // namespace troupe::jinja
