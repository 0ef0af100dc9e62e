#include "transport/api/logprobs.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>

namespace troupe {

namespace {

/// JSON has no infinity: an impossible token is told as OpenAI tells a very unlikely one.
json number(float logprob) {
  constexpr float very_unlikely = -9999.0F;
  if (std::isnan(logprob)) return nullptr;
  return std::max(logprob, very_unlikely);
}

json bytes_of(const std::string& text) {
  json bytes = json::array();
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

const std::string& spelling(const std::vector<std::string>& all, std::size_t i) {
  static const std::string none;
  return i < all.size() ? all[i] : none;
}

const token_spelling& spelling(const std::vector<token_spelling>& all, std::size_t i) {
  static const token_spelling none;
  return i < all.size() ? all[i] : none;
}

/// Valid UTF-8 whatever the bytes are.
std::string printable(const std::string& bytes) {
  return json::parse(to_text(json(bytes))).get<std::string>();
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

} // namespace

void reported_tokens::append(std::vector<token_report> more,
                             std::vector<token_spelling> more_spellings) {
  tokens.insert(tokens.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  spellings.insert(spellings.end(), std::make_move_iterator(more_spellings.begin()),
                   std::make_move_iterator(more_spellings.end()));
}

json chat_logprobs(const reported_tokens& reported) {
  json content = json::array();
  for (std::size_t i = 0; i < reported.tokens.size(); ++i) {
    const token_report& token = reported.tokens[i];
    const token_spelling& spelled = spelling(reported.spellings, i);
    json top = json::array();
    for (std::size_t k = 0; k < token.top.size(); ++k) {
      const std::string& bytes = spelling(spelled.top, k);
      top.push_back(
          {{"token", bytes}, {"logprob", number(token.top[k].second)}, {"bytes", bytes_of(bytes)}});
    }
    content.push_back({{"token", spelled.bytes},
                       {"logprob", number(token.logprob)},
                       {"bytes", bytes_of(spelled.bytes)},
                       {"top_logprobs", std::move(top)}});
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

json completion_logprobs(const reported_tokens& reported, std::size_t& offset) {
  json tokens = json::array();
  json logprobs = json::array();
  json tops = json::array();
  json offsets = json::array();
  for (std::size_t i = 0; i < reported.tokens.size(); ++i) {
    const token_report& token = reported.tokens[i];
    const token_spelling& spelled = spelling(reported.spellings, i);
    tokens.push_back(spelled.bytes);
    logprobs.push_back(number(token.logprob));
    offsets.push_back(offset);
    offset += characters(spelled.bytes);
    if (std::isnan(token.logprob)) {
      tops.push_back(nullptr);
      continue;
    }
    json top = json::object();
    for (std::size_t k = 0; k < token.top.size(); ++k)
      top[printable(spelling(spelled.top, k))] = number(token.top[k].second);
    tops.push_back(std::move(top));
  }
  return {{"tokens", std::move(tokens)},
          {"token_logprobs", std::move(logprobs)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

json prompt_logprobs(const reported_tokens& reported) {
  json list = json::array();
  for (std::size_t i = 0; i < reported.tokens.size(); ++i) {
    const token_report& token = reported.tokens[i];
    if (std::isnan(token.logprob)) {
      list.push_back(nullptr);
      continue;
    }
    const token_spelling& spelled = spelling(reported.spellings, i);
    json entry = {{std::to_string(token.id),
                   {{"logprob", number(token.logprob)}, {"decoded_token", spelled.bytes}}}};
    for (std::size_t k = 0; k < token.top.size(); ++k)
      entry[std::to_string(token.top[k].first)] = {{"logprob", number(token.top[k].second)},
                                                   {"decoded_token", spelling(spelled.top, k)}};
    list.push_back(std::move(entry));
  }
  return list;
}

} // namespace troupe
