// See added_tokens.hpp. A trie is walked from each place where some token may begin: the work is
// bounded by the text times the longest token, and nearly always it is one look into a table of
// first bytes.
#include "model/tokenizer/added_tokens.hpp"

#include "model/tokenizer/json_field.hpp"
#include "model/tokenizer/utf8.hpp"

#include <utf8proc.h>

#include <algorithm>

namespace troupe {
namespace {

bool is_word_character(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_PC:
    return true;
  default:
    return false;
  }
}

bool stands_alone(std::string_view text, text_range range) {
  if (range.begin > 0) {
    auto last = range.begin - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    if (is_word_character(utf8_code_point(text.substr(last)))) return false;
  }
  return range.end == text.size() || !is_word_character(utf8_code_point(text.substr(range.end)));
}

bool touches(text_range range, std::span<const text_range> sorted) {
  const auto after = std::partition_point(sorted.begin(), sorted.end(),
                                          [&](text_range r) { return r.end <= range.begin; });
  const auto next = std::find_if(after, sorted.end(), [](text_range r) { return r.begin < r.end; });
  return next != sorted.end() && next->begin < range.end;
}

} // namespace

added_token read_added_token(const json_field& entry, token_id id) {
  added_token token;
  token.content = entry.at("content").string();
  if (token.content.empty()) entry.at("content").refuse("is empty");
  token.id = id;
  token.special = entry.boolean_or("special", false);
  token.single_word = entry.boolean_or("single_word", false);
  token.lstrip = entry.boolean_or("lstrip", false);
  token.rstrip = entry.boolean_or("rstrip", false);
  token.normalized = entry.boolean_or("normalized", !token.special);
  return token;
}

added_token_finder::added_token_finder(std::vector<added_token> tokens)
    : tokens_(std::move(tokens)), trie_(1) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    std::uint32_t at = 0;
    for (const char c : tokens_[i].content) {
      const auto byte = static_cast<unsigned char>(c);
      if (at == 0) begins_[byte] = true;
      const auto& after = trie_[at].after;
      const auto found = std::find_if(after.begin(), after.end(),
                                      [&](const auto& edge) { return edge.first == byte; });
      if (found != after.end()) {
        at = found->second;
        continue;
      }
      const auto fresh = static_cast<std::uint32_t>(trie_.size());
      trie_[at].after.emplace_back(byte, fresh);
      trie_.emplace_back();
      at = fresh;
    }
    trie_[at].token = static_cast<std::int32_t>(i);
  }
}

const added_token* added_token_finder::longest_at(std::string_view text, std::size_t at,
                                                  std::span<const text_range> untrusted) const {
  const added_token* longest = nullptr;
  const auto* node = &trie_[0];
  for (auto end = at; end < text.size();) {
    const auto byte = static_cast<unsigned char>(text[end++]);
    const auto edge = std::find_if(node->after.begin(), node->after.end(),
                                   [&](const auto& e) { return e.first == byte; });
    if (edge == node->after.end()) break;
    node = &trie_[edge->second];
    if (node->token < 0) continue;
    const auto& token = tokens_[static_cast<std::size_t>(node->token)];
    if (token.single_word && !stands_alone(text, {at, end})) continue;
    if (token.special && touches({at, end}, untrusted)) continue;
    longest = &token;
  }
  return longest;
}

std::optional<added_token_finder::match> added_token_finder::cursor::next(std::size_t from) {
  if (finder.empty()) return std::nullopt;
  for (auto at = from; at < text.size(); ++at) {
    if (!finder.begins_[static_cast<unsigned char>(text[at])]) continue;
    const auto* token = finder.longest_at(text, at, untrusted);
    if (token == nullptr) continue;
    auto begin = at;
    auto end = at + token->content.size();
    if (token->lstrip) begin -= white_space_at_back(text.substr(from, at - from));
    if (token->rstrip) end += white_space_at_front(text.substr(end));
    return match{{begin, end}, token->id};
  }
  return std::nullopt;
}

} // namespace troupe
