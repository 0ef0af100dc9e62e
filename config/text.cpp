// Decoding of UTF-8 one character at a time, and the escapes built on it.
#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace troupe {
namespace {

struct character {
  std::uint32_t code = 0;
  std::size_t length = 0; // 0: the bytes are not UTF-8
};

character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])) : 0U;
  };
  const std::uint32_t lead = byte(0);
  if (text.empty()) return {};
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  std::uint32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {};
  return {code, length};
}

bool is_control(std::uint32_t code) { return code < 0x20 || (code >= 0x7F && code <= 0x9F); }

/// Line and paragraph separators, zero-width marks and everything that changes the direction of
/// writing.
bool misleads(std::uint32_t code) {
  return (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || code == 0x061C ||
         (code >= 0xE0000 && code <= 0xE007F);
}

std::string escape(std::string_view text, std::size_t limit, bool quotes) {
  std::string out;
  while (!text.empty()) {
    const character next = first_character(text);
    const std::size_t taken = std::max<std::size_t>(next.length, 1);
    std::string piece(text.substr(0, taken));
    if (next.length == 0)
      piece = fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    else if (next.code == '\n')
      piece = "\\n";
    else if (next.code == '\t')
      piece = "\\t";
    else if (next.code == '\\')
      piece = "\\\\";
    else if (quotes && next.code == '"')
      piece = "\\\"";
    else if (is_control(next.code) && next.length == 1)
      piece = fmt::format("\\x{:02x}", next.code);
    else if (is_control(next.code) || misleads(next.code))
      piece = fmt::format("\\u{{{:x}}}", next.code);
    if (limit != 0 && out.size() + piece.size() > limit) return out + "…";
    out += piece;
    text.remove_prefix(taken);
  }
  return out;
}

} // namespace

std::size_t utf8_character_length(std::string_view text) { return first_character(text).length; }

bool is_well_formed_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool has_control(std::string_view text) {
  while (!text.empty()) {
    const character next = first_character(text);
    if (next.length != 0 && is_control(next.code)) return true;
    text.remove_prefix(std::max<std::size_t>(next.length, 1));
  }
  return false;
}

std::string printable(std::string_view text, std::size_t limit) {
  return escape(text, limit, false);
}

std::string printable_in_quotes(std::string_view text, std::size_t limit) {
  return '"' + escape(text, limit, true) + '"';
}

} // namespace troupe
