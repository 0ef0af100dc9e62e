// Escapes apart from the lexer: numbers in three bases and their errors are a subject of their own.
#include "model/template/unescape.hpp"

#include "model/template/lexer.hpp"
#include "model/template/unicode.hpp"

#include <charconv>

namespace troupe::jinja {
namespace {

/// Reads up to `most` digits at `at`; returns how many.
std::size_t read_code(std::string_view text, std::size_t at, std::size_t most, int base,
                      std::uint32_t& code) {
  const char* begin = text.data() + at;
  const char* end = begin + std::min(most, text.size() - at);
  const auto [stop, error] = std::from_chars(begin, end, code, base);
  return error == std::errc() ? static_cast<std::size_t>(stop - begin) : 0;
}

char simple_escape(char c) {
  switch (c) {
  case 'a':
    return '\a';
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  case 'v':
    return '\v';
  case '\\':
  case '\'':
  case '"':
    return c;
  default:
    return '\0';
  }
}

} // namespace

std::string unescape(std::string_view literal, std::uint32_t line) {
  std::string out;
  for (std::size_t at = 0; at < literal.size();) {
    if (literal[at] != '\\' || at + 1 >= literal.size()) {
      out.push_back(literal[at++]);
      continue;
    }
    const char kind = literal[at + 1];
    std::uint32_t code = 0;
    if (const char simple = simple_escape(kind)) {
      out.push_back(simple);
      at += 2;
    } else if (kind == '\n') {
      at += 2;
    } else if (kind >= '0' && kind <= '7') {
      at += 1 + read_code(literal, at + 1, 3, 8, code);
      append_utf8(out, code);
    } else if (kind == 'x' || kind == 'u' || kind == 'U') {
      const std::size_t wanted = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
      if (read_code(literal, at + 2, wanted, 16, code) != wanted || code > 0x10FFFF) {
        fail_at(line, "a string holds a broken \\x, \\u or \\U escape; give it all its digits");
      }
      append_utf8(out, code);
      at += 2 + wanted;
    } else if (kind == 'N') {
      fail_at(line, "a string holds \\N{...}; write the character itself or its \\u escape");
    } else {
      out.push_back('\\');
      at += 1;
    }
  }
  return out;
}

} // namespace troupe::jinja
