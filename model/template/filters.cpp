// The lookup, and the filters that take any value: conversions, numbers, defaults, JSON.
#include "model/template/filters.hpp"

#include "model/template/access.hpp"
#include "model/template/json.hpp"
#include "model/template/operators.hpp"
#include "model/template/print.hpp"
#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe::jinja {
namespace {

value filter_default(runtime&, const value& self, const arguments& given) {
  const auto bound = bind("default", given, {"default_value", "boolean"});
  const bool missing = is_undefined(self) || (bound[1] && truth(*bound[1]) && !truth(self));
  if (!missing) return self;
  return bound[0] ? *bound[0] : value(text());
}

value filter_string(runtime& run, const value& self, const arguments& given) {
  bind("string", given, {});
  return to_text(run, self);
}

value filter_length(runtime& run, const value& self, const arguments& given) {
  bind("length", given, {});
  if (as_text(self)) run.budget.scan(as_text(self)->size());
  return static_cast<std::int64_t>(length(self));
}

value filter_tojson(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("tojson", given, {"ensure_ascii", "indent", "separators", "sort_keys"});
  json_style style;
  style.ensure_ascii = bound[0] && truth(*bound[0]);
  style.sort_keys = bound[3] && truth(*bound[3]);
  std::int64_t width = 0;
  if (bound[1] && as_text(*bound[1])) {
    style.indent = as_text(*bound[1])->view();
  } else if (bound[1] && as_integer(*bound[1], width)) {
    run.budget.check_text(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)));
    style.indent = std::string(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
  } else if (bound[1] && !is_none(*bound[1])) {
    throw fault("tojson's indent must be a number or a text");
  }
  if (style.indent) style.item_separator = ",";
  if (bound[2] && !is_none(*bound[2])) {
    const std::vector<value> both = items_of(run, *bound[2]);
    if (both.size() != 2 || !as_text(both[0]) || !as_text(both[1]))
      throw fault("tojson's separators must be two texts");
    style.item_separator = as_text(both[0])->view();
    style.key_separator = as_text(both[1])->view();
  }
  return to_json(run, self, style);
}

std::string_view stripped(std::string_view bytes) {
  while (!bytes.empty() && is_space(static_cast<unsigned char>(bytes.front())))
    bytes.remove_prefix(1);
  while (!bytes.empty() && is_space(static_cast<unsigned char>(bytes.back())))
    bytes.remove_suffix(1);
  return bytes;
}

bool parse_real(std::string_view bytes, double& out) {
  bytes = stripped(bytes);
  if (!bytes.empty() && bytes[0] == '+') bytes.remove_prefix(1);
  std::string digits;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      return at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9';
    };
    if (bytes[i] == '_' && i > 0 && digit(i - 1) && digit(i + 1)) continue;
    digits.push_back(bytes[i]);
  }
  if (digits.starts_with("+") || digits.find('(') != std::string::npos) return false;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (error == std::errc::result_out_of_range)
    out = digits.find("e-") != std::string::npos ? 0.0 : HUGE_VAL;
  return error != std::errc::invalid_argument && stop == digits.data() + digits.size();
}

bool parse_whole(std::string_view bytes, int base, std::int64_t& out) {
  bytes = stripped(bytes);
  bool negative = false;
  if (!bytes.empty() && (bytes[0] == '+' || bytes[0] == '-')) {
    negative = bytes[0] == '-';
    bytes.remove_prefix(1);
  }
  if (bytes.size() > 2 && bytes[0] == '0') {
    const char kind = static_cast<char>(bytes[1] | 0x20);
    if ((base == 16 && kind == 'x') || (base == 8 && kind == 'o') || (base == 2 && kind == 'b'))
      bytes.remove_prefix(2);
  }
  std::string digits(negative ? "-" : "");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '_' && i > 0 && i + 1 < bytes.size() && bytes[i + 1] != '_') continue;
    digits.push_back(bytes[i]);
  }
  if (bytes.empty() || bytes[0] == '-') return false;
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
  if (error == std::errc::result_out_of_range)
    throw fault("an integer does not fit 64 bits; use a smaller one");
  return error == std::errc() && stop == digits.data() + digits.size();
}

std::int64_t truncate(double real) {
  if (!(std::abs(real) < 9.2e18))
    throw fault("a number does not fit a 64-bit integer; use a smaller one");
  return static_cast<std::int64_t>(real);
}

value filter_int(runtime&, const value& self, const arguments& given) {
  const auto bound = bind("int", given, {"default", "base"});
  const value fallback = bound[0] ? *bound[0] : value(std::int64_t{0});
  if (is_undefined(self)) fail_undefined(self);
  std::int64_t base = 10;
  if (bound[1] && (!as_integer(*bound[1], base) || base < 2 || base > 36))
    throw fault("int's base must be from 2 to 36");
  std::int64_t whole = 0;
  double real = 0;
  if (const text* written = as_text(self)) {
    if (parse_whole(written->view(), static_cast<int>(base), whole)) return whole;
    if (parse_real(written->view(), real) && !std::isnan(real)) return truncate(real);
    return fallback;
  }
  if (as_integer(self, whole)) return whole;
  if (as_real(self, real) && !std::isnan(real)) return truncate(real);
  return fallback;
}

value filter_float(runtime&, const value& self, const arguments& given) {
  const auto bound = bind("float", given, {"default"});
  if (is_undefined(self)) fail_undefined(self);
  double real = 0;
  if (as_real(self, real)) return real;
  if (const text* written = as_text(self); written && parse_real(written->view(), real))
    return real;
  return bound[0] ? *bound[0] : value(0.0);
}

value filter_abs(runtime&, const value& self, const arguments& given) {
  bind("abs", given, {});
  std::int64_t whole = 0;
  if (as_integer(self, whole)) return whole < 0 ? negate(whole, true) : value(whole);
  if (const auto* real = std::get_if<double>(&self)) return std::abs(*real);
  throw fault(fmt::format("abs needs a number, not a {}; convert it with |int", type_name(self)));
}

value filter_round(runtime&, const value& self, const arguments& given) {
  const auto bound = bind("round", given, {"precision", "method"});
  std::int64_t digits = 0;
  if (bound[0] && (!as_integer(*bound[0], digits) || digits < -300 || digits > 300))
    throw fault("round's precision is wrong");
  const std::string_view method =
      bound[1] && as_text(*bound[1]) ? as_text(*bound[1])->view() : "common";
  if (method != "common" && method != "ceil" && method != "floor")
    throw fault("round's method is common, ceil or floor");
  double real = 0;
  if (is_undefined(self)) fail_undefined(self);
  if (!as_real(self, real))
    throw fault(fmt::format("round needs a number, not a {}; use |float", type_name(self)));
  const double scale = std::pow(10.0, static_cast<double>(digits));
  std::int64_t whole = 0;
  if (method != "common") {
    const double scaled = method == "ceil" ? std::ceil(real * scale) : std::floor(real * scale);
    return scaled / scale;
  }
  if (as_integer(self, whole)) {
    if (digits >= 0) return whole;
    return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(whole) * scale) / scale);
  }
  if (digits < 0) return std::nearbyint(real * scale) / scale;
  const std::string shown = fmt::format("{:.{}f}", real, digits);
  parse_real(shown, real);
  return real;
}

value filter_attr(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("attr", given, {"name"}, 1);
  const text* name = as_text(*bound[0]);
  if (!name) throw fault("attr needs the attribute's name as a text");
  if (as_dict(self)) return undefined{};
  return get_item(run, self, *bound[0]);
}

constexpr filter_entry entries[] = {
    {"default", filter_default}, {"d", filter_default},    {"string", filter_string},
    {"length", filter_length},   {"count", filter_length}, {"tojson", filter_tojson},
    {"int", filter_int},         {"float", filter_float},  {"abs", filter_abs},
    {"round", filter_round},     {"attr", filter_attr},
};

} // namespace

std::span<const filter_entry> value_filters() { return entries; }

const filter_entry* find_filter(std::string_view name) {
  for (const auto family : {text_filters(), sequence_filters(), value_filters()}) {
    for (const filter_entry& entry : family) {
      if (entry.name == name) return &entry;
    }
  }
  return nullptr;
}

} // namespace troupe::jinja
