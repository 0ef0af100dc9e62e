// See utf8.hpp. The ranges of second bytes are those of the Unicode standard's table 3-7, which
// leave out overlong forms, surrogates and what lies beyond U+10FFFF.
#include "model/tokenizer/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace troupe {
namespace {

struct lead_rule {
  std::size_t length; // 0: no character begins like this
  unsigned char low, high;
};

lead_rule rule_of(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

std::size_t ascii_at_front(std::string_view bytes) {
  std::size_t length = 0;
  for (std::uint64_t word = 0; length + 8 <= bytes.size(); length += 8) {
    std::memcpy(&word, bytes.data() + length, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (length < bytes.size() && static_cast<unsigned char>(bytes[length]) < 0x80) ++length;
  return length;
}

} // namespace

utf8_step next_utf8(std::string_view bytes) {
  using enum utf8_step::kind;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (byte(0) < 0x80) return {character, 1};
  const auto rule = rule_of(byte(0));
  if (rule.length == 0) return {malformed, 1};
  for (std::size_t i = 1; i < rule.length; ++i) {
    if (i >= bytes.size()) return {cut_short, i};
    const auto low = i == 1 ? rule.low : 0x80;
    const auto high = i == 1 ? rule.high : 0xBF;
    if (byte(i) < low || byte(i) > high) return {malformed, i};
  }
  return {character, rule.length};
}

bool is_utf8(std::string_view bytes) {
  while (true) {
    bytes.remove_prefix(ascii_at_front(bytes));
    if (bytes.empty()) return true;
    const auto step = next_utf8(bytes);
    if (step.what != utf8_step::kind::character) return false;
    bytes.remove_prefix(step.length);
  }
}

std::size_t append_utf8(std::string_view bytes, std::string& out) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    const auto step = next_utf8(bytes.substr(used));
    if (step.what == utf8_step::kind::cut_short) break;
    if (step.what == utf8_step::kind::malformed) {
      out += replacement_character;
    } else {
      out.append(bytes, used, step.length);
    }
    used += step.length;
  }
  return used;
}

char32_t utf8_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  switch (utf8_length(text[0])) {
  case 1:
    return byte(0);
  case 2:
    return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
  case 3:
    return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  default:
    return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
           (byte(3) & 0x3F);
  }
}

void append_code_point(char32_t code_point, std::string& out) {
  const auto put = [&](char32_t byte) {
    out += static_cast<char>(static_cast<unsigned char>(byte));
  };
  if (code_point < 0x80) {
    put(code_point);
    return;
  }
  if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      put(0xE0 | code_point >> 12);
    } else {
      put(0xF0 | code_point >> 18);
      put(0x80 | (code_point >> 12 & 0x3F));
    }
    put(0x80 | (code_point >> 6 & 0x3F));
  }
  put(0x80 | (code_point & 0x3F));
}

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::size_t white_space_at_front(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_white_space(utf8_code_point(text.substr(length))))
    length += utf8_length(text[length]);
  return length;
}

std::size_t white_space_at_back(std::string_view text) {
  auto end = text.size();
  while (end > 0) {
    auto begin = end - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    if (!is_white_space(utf8_code_point(text.substr(begin)))) break;
    end = begin;
  }
  return text.size() - end;
}

} // namespace troupe
