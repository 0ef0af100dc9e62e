// Code points: what Python's str methods ask of Unicode. Strings here are UTF-8; a byte that is not
// part of valid UTF-8 counts as one code point of its own, so that nothing is lost and nothing
// throws.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::jinja {

struct code_point {
  char32_t code = 0; ///< 0x110000 + byte where the UTF-8 is invalid.
  std::size_t size = 1;
};

/// The code point at `position`, which must be inside the text.
code_point decode(std::string_view text, std::size_t position);
/// The one that ends before `position` > 0.
code_point decode_before(std::string_view text, std::size_t position);
void append_utf8(std::string& out, char32_t code);
std::size_t count_code_points(std::string_view text);
/// The byte at which code point `index` starts, or the text's size.
std::size_t byte_of_code_point(std::string_view text, std::size_t index);
bool is_ascii(std::string_view text);

bool is_space(char32_t code);
bool is_line_break(char32_t code);
bool is_decimal(char32_t code);
/// isdigit(): decimals and the digits of other kinds, such as superscripts.
bool is_digit(char32_t code);
bool is_alpha(char32_t code);
bool is_numeric(char32_t code);
bool is_upper(char32_t code);
bool is_lower(char32_t code);
bool is_title(char32_t code);
bool is_printable(char32_t code);

/// Full mappings: one code point may become several.
void append_upper(std::string& out, char32_t code);
void append_lower(std::string& out, char32_t code);
void append_title(std::string& out, char32_t code);

} // namespace troupe::jinja
