// utf8proc answers for categories and simple case mappings; the few mappings to several code points
// that occur in living languages are listed here (Unicode's SpecialCasing.txt, unconditional part).
#include "model/template/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>

namespace troupe::jinja {
namespace {

constexpr char32_t invalid_byte = 0x110000;

utf8proc_category_t category(char32_t code) {
  return code >= invalid_byte ? UTF8PROC_CATEGORY_CN
                              : utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

} // namespace

code_point decode(std::string_view text, std::size_t position) {
  const auto first = static_cast<unsigned char>(text[position]);
  if (first < 0x80) return {first, 1};
  utf8proc_int32_t code = 0;
  const auto size =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + position),
                       static_cast<utf8proc_ssize_t>(text.size() - position), &code);
  if (size <= 0 || code < 0) return {invalid_byte + first, 1};
  return {static_cast<char32_t>(code), static_cast<std::size_t>(size)};
}

code_point decode_before(std::string_view text, std::size_t position) {
  std::size_t begin = position - 1;
  while (begin > 0 && position - begin < 4 && continues(text[begin])) --begin;
  const code_point found = decode(text, begin);
  if (begin + found.size == position) return found;
  return decode(text, position - 1);
}

void append_utf8(std::string& out, char32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
    return;
  }
  if (code >= invalid_byte) {
    out.push_back(static_cast<char>(code - invalid_byte));
    return;
  }
  if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;
  utf8proc_uint8_t bytes[4];
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += decode(text, at).size) ++count;
  return count;
}

std::size_t byte_of_code_point(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += decode(text, at).size;
  return at;
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

bool is_line_break(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

bool is_decimal(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }

bool is_digit(char32_t c) {
  return is_decimal(c) || c == 0xB2 || c == 0xB3 || c == 0xB9 || c == 0x2070 ||
         (c >= 0x2074 && c <= 0x2079) || (c >= 0x2080 && c <= 0x2089) ||
         (c >= 0x2460 && c <= 0x2468);
}

bool is_alpha(char32_t c) {
  const auto found = category(c);
  return found >= UTF8PROC_CATEGORY_LU && found <= UTF8PROC_CATEGORY_LO;
}

bool is_numeric(char32_t c) {
  const auto found = category(c);
  return found >= UTF8PROC_CATEGORY_ND && found <= UTF8PROC_CATEGORY_NO;
}

bool is_upper(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LU; }
bool is_lower(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LL || c == 0xAA || c == 0xBA; }
bool is_title(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LT; }

bool is_printable(char32_t c) {
  if (c < 0x7F) return c >= 0x20;
  switch (category(c)) {
  case UTF8PROC_CATEGORY_CC:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_CS:
  case UTF8PROC_CATEGORY_CO:
  case UTF8PROC_CATEGORY_CN:
  case UTF8PROC_CATEGORY_ZL:
  case UTF8PROC_CATEGORY_ZP:
  case UTF8PROC_CATEGORY_ZS:
    return false;
  default:
    return true;
  }
}

void append_upper(std::string& out, char32_t c) {
  switch (c) {
  case 0xDF:
    out += "SS";
    return;
  case 0x149:
    out += "\u02BCN";
    return;
  case 0x1F0:
    out += "J\u030C";
    return;
  case 0x587:
    out += "\u0535\u0552";
    return;
  case 0xFB00:
    out += "FF";
    return;
  case 0xFB01:
    out += "FI";
    return;
  case 0xFB02:
    out += "FL";
    return;
  case 0xFB03:
    out += "FFI";
    return;
  case 0xFB04:
    out += "FFL";
    return;
  case 0xFB05:
  case 0xFB06:
    out += "ST";
    return;
  default:
    break;
  }
  append_utf8(out, c >= invalid_byte
                       ? c
                       : static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
}

void append_lower(std::string& out, char32_t c) {
  if (c == 0x130) {
    out += "i\u0307";
    return;
  }
  append_utf8(out, c >= invalid_byte
                       ? c
                       : static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
}

void append_title(std::string& out, char32_t c) {
  if (c == 0xDF) {
    out += "Ss";
    return;
  }
  if ((c >= 0xFB00 && c <= 0xFB06) || c == 0x149 || c == 0x1F0 || c == 0x587) {
    std::string upper;
    append_upper(upper, c);
    const code_point head = decode(upper, 0);
    out.append(upper, 0, head.size);
    for (std::size_t at = head.size; at < upper.size();) {
      const code_point next = decode(upper, at);
      append_lower(out, next.code);
      at += next.size;
    }
    return;
  }
  append_utf8(out, c >= invalid_byte
                       ? c
                       : static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c))));
}

} // namespace troupe::jinja
