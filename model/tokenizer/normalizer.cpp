// See normalizer.hpp.
#include "model/tokenizer/normalizer.hpp"

#include "model/tokenizer/json_field.hpp"
#include "model/tokenizer/pattern_field.hpp"
#include "model/tokenizer/unicode_form.hpp"
#include "model/tokenizer/utf8.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe {
namespace {

constexpr int max_nesting = 8;

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  while (true) {
    const auto at = text.find(what);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += with;
    text.remove_prefix(at + what.size());
  }
}

std::string replaced(std::string_view text, const regex& what, std::string_view with) {
  std::string out;
  std::size_t done = 0;
  what.each_match(text, [&](text_range match) {
    out.append(text, done, match.begin - done).append(with);
    done = match.end;
  });
  return out.append(text, done);
}

} // namespace

normalizer::normalizer(const json_field& field) { read(field, 0); }

void normalizer::read(const json_field& field, int depth) {
  using enum step::kind;
  const auto type = field.at("type").string();
  if (type == "Sequence") {
    if (depth == max_nesting) field.refuse(fmt::format("nests deeper than {}", max_nesting));
    for (const auto& inner : field.at("normalizers").elements()) read(inner, depth + 1);
  } else if (type == "Prepend") {
    steps_.push_back(
        {.what = prepend, .text = field.at("prepend").string(), .literal = {}, .pattern = {}});
  } else if (type == "Replace") {
    steps_.push_back(read_replace(field));
  } else if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
    step form{.what = unicode_form, .text = {}, .literal = {}, .pattern = {}};
    form.compose = type.back() == 'C';
    form.compatible = type[2] == 'K';
    steps_.push_back(std::move(form));
  } else if (type == "Lowercase") {
    steps_.push_back({.what = lowercase, .text = {}, .literal = {}, .pattern = {}});
  } else if (type == "Strip") {
    step sides{.what = strip, .text = {}, .literal = {}, .pattern = {}};
    sides.left = field.boolean_or("strip_left", true);
    sides.right = field.boolean_or("strip_right", true);
    steps_.push_back(std::move(sides));
  } else {
    field.at("type").refuse(fmt::format(
        "\"{}\" is not supported; Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase "
        "and Strip are",
        type));
  }
}

normalizer::step normalizer::read_replace(const json_field& field) {
  step made{.what = step::kind::replace,
            .text = field.at("content").string(),
            .literal = {},
            .pattern = {}};
  const auto pattern = field.at("pattern");
  if (pattern.has("String") && !pattern.at("String").string().empty()) {
    made.literal = pattern.at("String").string();
  } else {
    made.pattern = read_pattern(pattern);
  }
  return made;
}

std::string normalizer::apply(std::string_view text) const {
  std::string current(text);
  for (const auto& step : steps_) current = apply(step, current);
  return current;
}

std::string normalizer::apply(const step& step, std::string_view text) {
  switch (step.what) {
  case step::kind::prepend:
    return text.empty() ? std::string() : step.text + std::string(text);
  case step::kind::replace:
    return step.pattern ? replaced(text, *step.pattern, step.text)
                        : replaced(text, step.literal, step.text);
  case step::kind::unicode_form:
    return troupe::unicode_form(text, step.compose, step.compatible);
  case step::kind::lowercase:
    return lower_case(text);
  case step::kind::strip:
    if (step.left) text.remove_prefix(white_space_at_front(text));
    if (step.right) text.remove_suffix(white_space_at_back(text));
    return std::string(text);
  }
  return {};
}

} // namespace troupe
