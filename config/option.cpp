// Reading, checking and showing of one option's value, by kind.
#include "config/option.hpp"

#include "config/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace troupe {
namespace {

constexpr std::size_t longest_shown = 80;
constexpr std::string_view hidden = "(hidden)";

std::uint64_t in_range(const option_form& which, std::uint64_t number) {
  if (number < which.lowest || number > which.highest) throw bad_value("is out of range");
  return number;
}

double in_range(const option_form& which, double number) {
  // Written so that a NaN, which compares false with everything, is refused as well.
  if (!(number >= which.lowest_fraction && number <= which.highest_fraction))
    throw bad_value("is out of range");
  return number;
}

const std::string& sound_text(const std::string& text) {
  if (!is_well_formed_utf8(text)) throw bad_value("is not UTF-8");
  if (has_control(text)) throw bad_value("holds a control character");
  return text;
}

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (;;) {
    const std::size_t comma = text.find(',');
    parts.push_back(sound_text(std::string(text.substr(0, comma))));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

bool parse_boolean(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  throw bad_value("is not true or false");
}

double parse_fraction(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) throw bad_value("is not a number");
  return number;
}

std::uint64_t parse_choice(const option_form& which, std::string_view text) {
  const auto found = std::find(which.choices.begin(), which.choices.end(), text);
  if (found == which.choices.end()) throw bad_value("is not a choice");
  return static_cast<std::uint64_t>(found - which.choices.begin());
}

std::uint64_t milliseconds_in(std::string_view text) {
  return static_cast<std::uint64_t>(parse_duration(text).count());
}

template <class Wanted>
const Wanted& expect(const typed_value& value, const char* problem) {
  if (const auto* held = std::get_if<Wanted>(&value)) return *held;
  throw bad_value(problem);
}

std::uint64_t natural(std::int64_t number) {
  if (number < 0) throw bad_value("is out of range");
  return static_cast<std::uint64_t>(number);
}

/// Only these two need an escape: what is read here holds no control characters.
std::string toml_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string toml_texts(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) parts.push_back(toml_text(text));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string show_number(option_kind kind, std::uint64_t number) {
  if (kind == option_kind::size) return show_size(number);
  if (kind == option_kind::duration)
    return show_duration(milliseconds(static_cast<std::int64_t>(number)));
  return std::to_string(number);
}

} // namespace

std::string option_form::variable() const {
  std::string text = "TROUPE_" + group + "_" + name;
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

option_value read_text(const option_form& which, std::string_view text) {
  switch (which.kind) {
  case option_kind::text:
    return sound_text(std::string(text));
  case option_kind::texts:
    return split_at_commas(text);
  case option_kind::count:
    return in_range(which, parse_count(text));
  case option_kind::size:
    return in_range(which, parse_size(text));
  case option_kind::duration:
    return in_range(which, milliseconds_in(text));
  case option_kind::fraction:
    return in_range(which, parse_fraction(text));
  case option_kind::boolean:
    return parse_boolean(text);
  case option_kind::choice:
    return parse_choice(which, text);
  }
  throw std::logic_error("an option of no kind");
}

option_value read_typed(const option_form& which, const typed_value& value) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  switch (which.kind) {
  case option_kind::text:
    return sound_text(expect<std::string>(value, "is not a text"));
  case option_kind::texts: {
    const auto& texts = expect<std::vector<std::string>>(value, "is not a list of texts");
    for (const std::string& text : texts) sound_text(text);
    return texts;
  }
  case option_kind::count:
    return in_range(which, natural(expect<std::int64_t>(value, "is not a whole number")));
  case option_kind::size:
    if (integer != nullptr) return in_range(which, natural(*integer));
    return in_range(which, parse_size(expect<std::string>(value, "is not a size")));
  case option_kind::duration:
    if (integer != nullptr) throw bad_value("has no unit (write it as text, like \"30s\")");
    return in_range(which, milliseconds_in(expect<std::string>(value, "is not a duration")));
  case option_kind::fraction:
    if (integer != nullptr) return in_range(which, static_cast<double>(*integer));
    return in_range(which, expect<double>(value, "is not a number"));
  case option_kind::boolean:
    return expect<bool>(value, "is not true or false");
  case option_kind::choice:
    return parse_choice(which, expect<std::string>(value, "is not a choice"));
  }
  throw std::logic_error("an option of no kind");
}

std::string takes(const option_form& which) {
  switch (which.kind) {
  case option_kind::text:
    return "a text";
  case option_kind::texts:
    return "a list of texts";
  case option_kind::boolean:
    return "true or false";
  case option_kind::fraction:
    return fmt::format("{} to {}", which.lowest_fraction, which.highest_fraction);
  case option_kind::choice: {
    const auto last = which.choices.end() - 1;
    return fmt::format("{} or {}", fmt::join(which.choices.begin(), last, ", "), *last);
  }
  case option_kind::count:
  case option_kind::size:
  case option_kind::duration:
    return fmt::format("{} to {}", show_number(which.kind, which.lowest),
                       show_number(which.kind, which.highest));
  }
  throw std::logic_error("an option of no kind");
}

std::string show(const option_form& which, const option_value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<std::uint64_t>(&value))
    return which.kind == option_kind::choice ? which.choices.at(*number)
                                             : show_number(which.kind, *number);
  if (const auto* text = std::get_if<std::string>(&value))
    return which.secret && !text->empty() ? std::string(hidden) : printable(*text);
  const auto& texts = std::get<std::vector<std::string>>(value);
  if (which.secret && !texts.empty()) return std::string(hidden);
  return printable(fmt::format("{}", fmt::join(texts, ",")));
}

std::string show_toml(const option_form& which, const option_value& value) {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) return toml_texts(*texts);
  if (const auto* text = std::get_if<std::string>(&value)) return toml_text(*text);
  const bool bare = which.kind == option_kind::count || which.kind == option_kind::boolean ||
                    which.kind == option_kind::fraction;
  return bare ? show(which, value) : toml_text(show(which, value));
}

std::string show_written(const option_form& which, const typed_value& value) {
  if (which.secret) return std::string(hidden);
  struct visitor {
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(const std::string& text) const {
      return printable_in_quotes(text, longest_shown);
    }
    std::string operator()(const std::vector<std::string>& texts) const {
      return printable(fmt::format("[{}]", fmt::join(texts, ", ")), longest_shown);
    }
    std::string operator()(const foreign_value& value) const { return value.called; }
  };
  return std::visit(visitor{}, value);
}

} // namespace troupe
