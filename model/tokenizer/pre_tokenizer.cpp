// See pre_tokenizer.hpp. Every kind comes down to three steps: split by a pattern, put a space in
// front, write spaces as marks.
#include "model/tokenizer/pre_tokenizer.hpp"

#include "model/tokenizer/json_field.hpp"
#include "model/tokenizer/pattern_field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr int max_nesting = 8;

// GPT-2's pattern, which ByteLevel splits by unless use_regex is false.
constexpr std::string_view gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

} // namespace

struct pre_tokenizer::span {
  std::size_t begin, end;
  bool match;
};

pre_tokenizer::pre_tokenizer(const json_field& field) { read(field, 0); }

void pre_tokenizer::read(const json_field& field, int depth) {
  const auto type = field.at("type").string();
  if (byte_level_) field.refuse("follows ByteLevel, which must be the last");
  if (type == "Sequence") {
    if (depth == max_nesting) field.refuse(fmt::format("nests deeper than {}", max_nesting));
    for (const auto& inner : field.at("pretokenizers").elements()) read(inner, depth + 1);
  } else if (type == "Split") {
    read_split(field);
  } else if (type == "ByteLevel") {
    read_byte_level(field);
  } else if (type == "Metaspace") {
    read_metaspace(field);
  } else if (type == "Digits") {
    const auto single = field.boolean_or("individual_digits", false);
    add_split(regex(R"(\p{N})"), single ? behavior::isolated : behavior::contiguous);
  } else if (type == "Punctuation") {
    add_split(regex(R"([!-/:-@\[-`{-~\p{P}])"),
              field.has("behavior") ? read_behavior(field) : behavior::isolated);
  } else if (type == "Whitespace") {
    add_split(regex(R"(\w+|[^\w\s]+)"), behavior::removed, true);
  } else if (type == "WhitespaceSplit") {
    add_split(regex(R"(\s)"), behavior::removed);
  } else if (type == "CharDelimiterSplit") {
    add_split(regex::literal(field.at("delimiter").string()), behavior::removed);
  } else {
    field.at("type").refuse(fmt::format(
        "\"{}\" is not supported; Sequence, Split, ByteLevel, Metaspace, Digits, Punctuation, "
        "Whitespace, WhitespaceSplit and CharDelimiterSplit are",
        type));
  }
}

void pre_tokenizer::add_split(regex pattern, behavior matches, bool invert) {
  step made{.what = step::kind::split, .pattern = std::move(pattern), .mark = {}};
  made.matches = matches;
  made.invert = invert;
  steps_.push_back(std::move(made));
}

void pre_tokenizer::read_split(const json_field& field) {
  add_split(read_pattern(field.at("pattern")), read_behavior(field),
            field.boolean_or("invert", false));
}

void pre_tokenizer::read_byte_level(const json_field& field) {
  if (field.boolean_or("add_prefix_space", true)) {
    steps_.push_back({.what = step::kind::prefix_space, .pattern = {}, .mark = {}});
  }
  if (field.boolean_or("use_regex", true)) add_split(regex(gpt2_pattern), behavior::isolated);
  byte_level_ = true;
}

void pre_tokenizer::read_metaspace(const json_field& field) {
  step made{
      .what = step::kind::mark_spaces, .pattern = {}, .mark = field.at("replacement").string()};
  if (made.mark.empty()) field.at("replacement").refuse("is empty");
  const auto scheme = field.string_or(
      "prepend_scheme", field.boolean_or("add_prefix_space", true) ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    field.at("prepend_scheme").refuse(fmt::format("is \"{}\", not always, first or never", scheme));
  }
  made.prefix = scheme == "always";
  made.prefix_start = scheme == "first";
  const auto mark = made.mark;
  steps_.push_back(std::move(made));
  if (field.boolean_or("split", true)) add_split(regex::literal(mark), behavior::merged_with_next);
}

pre_tokenizer::behavior pre_tokenizer::read_behavior(const json_field& field) {
  const auto name = field.at("behavior").string();
  if (name == "Isolated") return behavior::isolated;
  if (name == "Removed") return behavior::removed;
  if (name == "Contiguous") return behavior::contiguous;
  if (name == "MergedWithPrevious") return behavior::merged_with_previous;
  if (name == "MergedWithNext") return behavior::merged_with_next;
  field.at("behavior")
      .refuse(fmt::format(
          "is \"{}\", not Isolated, Removed, Contiguous, MergedWithPrevious or MergedWithNext",
          name));
}

void pre_tokenizer::split(std::string_view text, bool at_start, const piece_sink& sink) const {
  run(0, text, at_start, sink);
}

void pre_tokenizer::run(std::size_t index, std::string_view text, bool at_start,
                        const piece_sink& sink) const {
  if (text.empty()) return;
  if (index == steps_.size()) return sink(text);
  const auto& step = steps_[index];
  std::string changed;
  switch (step.what) {
  case step::kind::split:
    return run_split(index, text, at_start, sink);
  case step::kind::prefix_space:
    if (text.front() == ' ') return run(index + 1, text, at_start, sink);
    changed.append(" ").append(text);
    break;
  case step::kind::mark_spaces:
    changed.reserve(text.size() + text.size() / 2);
    for (const char c : text) c == ' ' ? changed.append(step.mark) : changed.append(1, c);
    if ((step.prefix || (step.prefix_start && at_start)) && !changed.starts_with(step.mark))
      changed.insert(0, step.mark);
    break;
  }
  run(index + 1, changed, at_start, sink);
}

void pre_tokenizer::run_split(std::size_t index, std::string_view text, bool at_start,
                              const piece_sink& sink) const {
  const auto& step = steps_[index];
  const auto next = [&](std::size_t begin, std::size_t end) {
    run(index + 1, text.substr(begin, end - begin), at_start && begin == 0, sink);
  };
  if (step.matches != behavior::isolated) {
    for (const auto& span : arranged(spans_of(step, text), step.matches))
      next(span.begin, span.end);
    return;
  }
  std::size_t done = 0;
  step.pattern->each_match(text, [&](text_range match) {
    next(done, match.begin);
    next(match.begin, match.end);
    done = match.end;
  });
  next(done, text.size());
}

std::vector<pre_tokenizer::span> pre_tokenizer::spans_of(const step& step, std::string_view text) {
  std::vector<span> spans;
  std::size_t done = 0;
  const auto add = [&](std::size_t begin, std::size_t end, bool match) {
    if (begin < end) spans.push_back({begin, end, match != step.invert});
  };
  step.pattern->each_match(text, [&](text_range match) {
    add(done, match.begin, false);
    add(match.begin, match.end, true);
    done = match.end;
  });
  add(done, text.size(), false);
  return spans;
}

std::vector<pre_tokenizer::span> pre_tokenizer::arranged(std::vector<span> spans,
                                                         behavior matches) {
  std::vector<span> out;
  if (matches == behavior::merged_with_next) std::reverse(spans.begin(), spans.end());
  bool after_match = false;
  for (const auto& span : spans) {
    const auto joins =
        !out.empty() &&
        (matches == behavior::contiguous ? span.match == after_match : span.match && !after_match);
    after_match = span.match;
    if (matches == behavior::removed) {
      if (!span.match) out.push_back(span);
    } else if (joins) {
      out.back().begin = std::min(out.back().begin, span.begin);
      out.back().end = std::max(out.back().end, span.end);
    } else {
      out.push_back(span);
    }
  }
  if (matches == behavior::merged_with_next) std::reverse(out.begin(), out.end());
  return out;
}

} // namespace troupe
