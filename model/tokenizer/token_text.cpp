// See token_text.hpp. Bytes that are no valid UTF-8 become U+FFFD by one rule for all decoders,
// when text is made of them.
#include "model/tokenizer/token_text.hpp"

#include "model/tokenizer/byte_alphabet.hpp"
#include "model/tokenizer/json_field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace troupe {
namespace {

constexpr int max_nesting = 8;

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// "<0x41>" is the byte 0x41.
void read_byte_token(std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return;
  unsigned value = 0;
  const auto* const digits = token.data() + 3;
  if (const auto [end, error] = std::from_chars(digits, digits + 2, value, 16); end != digits + 2)
    return;
  token.assign(1, static_cast<char>(static_cast<unsigned char>(value)));
}

void read_byte_alphabet(std::string& token) {
  if (auto bytes = bytes_of_spelling(token)) token = *std::move(bytes);
}

} // namespace

token_text::token_text(const json_field& decoder, const std::vector<std::string>& spellings) {
  read(decoder, 0);
  spell(spellings);
  changes_.clear();
}

void token_text::read(const json_field& decoder, int depth) {
  const auto type = decoder.at("type").string();
  if (strip_count_ > 0) decoder.refuse("follows Strip, which must be the last");
  if (fused_ && type != "Strip" && type != "Fuse")
    decoder.refuse("follows Fuse, which only Strip may");
  if (type == "Sequence") {
    if (depth == max_nesting) decoder.refuse(fmt::format("nests deeper than {}", max_nesting));
    for (const auto& inner : decoder.at("decoders").elements()) read(inner, depth + 1);
  } else if (type == "ByteLevel") {
    changes_.emplace_back(read_byte_alphabet);
  } else if (type == "ByteFallback") {
    changes_.emplace_back(read_byte_token);
  } else if (type == "Fuse") {
    fused_ = true;
  } else if (type == "Replace") {
    read_replace(decoder);
  } else if (type == "Strip") {
    read_strip(decoder);
  } else if (type == "Metaspace") {
    const auto mark = decoder.at("replacement").string();
    if (mark.empty()) decoder.at("replacement").refuse("is empty");
    const auto scheme = decoder.string_or(
        "prepend_scheme", decoder.boolean_or("add_prefix_space", true) ? "always" : "never");
    if (scheme != "never") first_mark_ = mark;
    changes_.emplace_back([mark](std::string& token) { replace_all(token, mark, " "); });
  } else {
    decoder.at("type").refuse(fmt::format(
        "\"{}\" is not supported; Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip and "
        "Metaspace are",
        type));
  }
}

void token_text::read_replace(const json_field& decoder) {
  const auto pattern = decoder.at("pattern");
  const auto what = pattern.at("String").string();
  if (what.empty()) pattern.at("String").refuse("is empty");
  changes_.emplace_back([what, with = decoder.at("content").string()](std::string& token) {
    replace_all(token, what, with);
  });
}

void token_text::read_strip(const json_field& decoder) {
  if (!fused_) decoder.refuse("stands before Fuse, which is not supported");
  decoder.at("stop").integer(0, 0);
  stripped_ = decoder.at("content").string();
  if (stripped_.empty()) decoder.at("content").refuse("is empty");
  strip_count_ = static_cast<std::size_t>(decoder.at("start").integer(0, 1024));
}

void token_text::spell(const std::vector<std::string>& spellings) {
  ends_.reserve(spellings.size());
  for (std::size_t id = 0; id < spellings.size(); ++id) {
    auto token = spellings[id];
    for (const auto& change : changes_) change(token);
    text_ += token;
    ends_.push_back(text_.size());
    if (first_mark_.empty() || spellings[id].find(first_mark_) == std::string::npos) continue;
    auto first = spellings[id];
    replace_all(first, first_mark_, "");
    for (const auto& change : changes_) change(first);
    different_as_first_.emplace_back(static_cast<token_id>(id), std::move(first));
  }
}

std::string_view token_text::bytes(token_id id) const {
  const auto index = static_cast<std::size_t>(id);
  if (id < 0 || index >= ends_.size()) return {};
  const auto begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(text_).substr(begin, ends_[index] - begin);
}

std::string_view token_text::first_bytes(token_id id) const {
  const auto found =
      std::lower_bound(different_as_first_.begin(), different_as_first_.end(), id,
                       [](const auto& entry, token_id wanted) { return entry.first < wanted; });
  return found != different_as_first_.end() && found->first == id ? std::string_view(found->second)
                                                                  : bytes(id);
}

} // namespace troupe
