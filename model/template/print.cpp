// str() of a text is the text; of everything else it is repr(), so one recursive function serves
// both.
#include "model/template/print.hpp"

#include "model/template/evaluator_types.hpp"
#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace troupe::jinja {
namespace {

std::string escape_for_repr(char32_t code) {
  if (code >= 0x110000) code -= 0x110000;
  if (code < 0x100) return fmt::format("\\x{:02x}", static_cast<std::uint32_t>(code));
  if (code < 0x10000) return fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code));
  return fmt::format("\\U{:08x}", static_cast<std::uint32_t>(code));
}

void append_text_repr(text_builder& out, const text& whole) {
  const bool single = whole.view().find('\'') != std::string_view::npos;
  const char quote = single && whole.view().find('"') == std::string_view::npos ? '"' : '\'';
  if (whole.markup()) out.append("Markup(");
  out.append(std::string_view(&quote, 1), whole.has_untrusted());
  each_code_point(whole, [&](char32_t code, std::size_t begin, std::size_t size, bool untrusted) {
    const std::string_view bytes = whole.view().substr(begin, size);
    if (code == '\n') {
      out.append("\\n", untrusted);
    } else if (code == '\r') {
      out.append("\\r", untrusted);
    } else if (code == '\t') {
      out.append("\\t", untrusted);
    } else if (code == '\\' || code == static_cast<unsigned char>(quote)) {
      out.append("\\", untrusted);
      out.append(bytes, untrusted);
    } else if (is_printable(code)) {
      out.append(bytes, untrusted);
    } else {
      out.append(escape_for_repr(code), untrusted);
    }
  });
  out.append(std::string_view(&quote, 1), whole.has_untrusted());
  if (whole.markup()) out.append(")");
}

void append_items(runtime& run, text_builder& out, const sequence& items, std::string_view open,
                  std::string_view close) {
  out.append(open);
  for (std::size_t i = 0; i < items.items.size(); ++i) {
    if (i > 0) out.append(", ");
    append_repr(run, out, items.items[i]);
  }
  out.append(close);
}

void append_range_repr(text_builder& out, const sequence& items) {
  std::int64_t first = 0;
  std::int64_t second = 1;
  if (!items.items.empty()) as_integer(items.items[0], first);
  if (items.items.size() > 1) as_integer(items.items[1], second);
  const std::int64_t step = items.items.size() > 1 ? second - first : 1;
  const auto end = first + step * static_cast<std::int64_t>(items.items.size());
  out.append(step == 1 ? fmt::format("range({}, {})", first, end)
                       : fmt::format("range({}, {}, {})", first, end, step));
}

void append_sequence_repr(runtime& run, text_builder& out, const sequence& items) {
  switch (items.form) {
  case sequence_form::list:
    return append_items(run, out, items, "[", "]");
  case sequence_form::tuple:
    return append_items(run, out, items, "(", items.items.size() == 1 ? ",)" : ")");
  case sequence_form::dict_keys:
    return append_items(run, out, items, "dict_keys([", "])");
  case sequence_form::dict_values:
    return append_items(run, out, items, "dict_values([", "])");
  case sequence_form::dict_items:
    return append_items(run, out, items, "dict_items([", "])");
  case sequence_form::generator:
    return out.append("<generator object>");
  case sequence_form::range:
    return append_range_repr(out, items);
  }
}

void append_dict_repr(runtime& run, text_builder& out, const dict& entries) {
  out.append("{");
  bool first = true;
  for (const auto& [key, held] : entries.entries()) {
    if (!first) out.append(", ");
    first = false;
    append_repr(run, out, key);
    out.append(": ");
    append_repr(run, out, held);
  }
  out.append("}");
}

/// Apart from append_repr, whose frame is on the stack once a level of nesting.
void append_simple_repr(text_builder& out, const value& v) {
  if (is_undefined(v)) return out.append("Undefined");
  if (is_none(v)) return out.append("None");
  if (const auto* flag = std::get_if<bool>(&v)) return out.append(*flag ? "True" : "False");
  if (const auto* whole = std::get_if<std::int64_t>(&v))
    return out.append(fmt::format("{}", *whole));
  if (const auto* real = std::get_if<double>(&v)) return out.append(format_real(*real));
  if (const auto* made = std::get_if<macro_value*>(&v)) {
    return out.append(fmt::format("<Macro '{}'>", (*made)->definition->name));
  }
  if (const auto* made = std::get_if<function*>(&v))
    return out.append(fmt::format("<function {}>", (*made)->name));
  out.append("<LoopContext>");
}

} // namespace

std::string format_real(double real) {
  if (std::isnan(real)) return "nan";
  if (std::isinf(real)) return real < 0 ? "-inf" : "inf";
  char buffer[40];
  const auto [stop, error] =
      std::to_chars(buffer, buffer + sizeof buffer, real, std::chars_format::scientific);
  const std::string_view written(buffer, static_cast<std::size_t>(stop - buffer));
  const std::size_t mark = written.find('e');
  int exponent = 0;
  const char* digits_of_exponent = buffer + mark + (written[mark + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, stop, exponent);
  std::string sign;
  std::string digits;
  for (const char c : written.substr(0, mark)) {
    if (c == '-') sign = "-";
    if (c >= '0' && c <= '9') digits.push_back(c);
  }
  if (exponent < -4 || exponent >= 16) {
    const std::string tail = digits.size() > 1 ? "." + digits.substr(1) : "";
    return fmt::format("{}{}{}e{}{:02}", sign, digits[0], tail, exponent < 0 ? '-' : '+',
                       std::abs(exponent));
  }
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

void append_repr(runtime& run, text_builder& out, const value& v) {
  const nested level(run.budget, 4);
  run.budget.step();
  if (const text* whole = as_text(v)) return append_text_repr(out, *whole);
  if (const sequence* items = as_sequence(v)) return append_sequence_repr(run, out, *items);
  if (const dict* entries = as_dict(v)) return append_dict_repr(run, out, *entries);
  if (const auto* made = std::get_if<space*>(&v)) {
    out.append("<Namespace ");
    append_dict_repr(run, out, (*made)->attributes);
    return out.append(">");
  }
  append_simple_repr(out, v);
}

text to_text(runtime& run, const value& v) {
  if (const text* whole = as_text(v)) return *whole;
  if (is_undefined(v)) return {};
  text_builder out(run.budget);
  append_repr(run, out, v);
  return std::move(out).build();
}

} // namespace troupe::jinja
