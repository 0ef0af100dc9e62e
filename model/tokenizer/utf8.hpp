// UTF-8 one character at a time. Text from outside and bytes from the model may both be malformed;
// both are made valid by the same rule, so that a text is judged alike on its way in and on its way
// out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

/// What stands at the front of some bytes.
struct utf8_step {
  enum class kind { character, malformed, cut_short };
  kind what;
  std::size_t
      length; ///< bytes of the character, or of the longest start of one (Unicode 15, table 3-8)
};

/// Looks at the front of `bytes`, which must not be empty.
utf8_step next_utf8(std::string_view bytes);

bool is_utf8(std::string_view bytes);

/// Appends `bytes` to `out`, each malformed stretch as U+FFFD, and stops before a character that is
/// cut short at the end. Returns how many bytes it used: all but at most 3.
std::size_t append_utf8(std::string_view bytes, std::string& out);

/// U+FFFD, the replacement character.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// Bytes of the character that `lead` begins, in valid text.
constexpr std::size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// The code point of the character at the front of valid text.
char32_t utf8_code_point(std::string_view text);

void append_code_point(char32_t code_point, std::string& out);

/// Unicode's White_Space property.
bool is_white_space(char32_t code_point);

/// Bytes of white space at the front and at the back of valid text.
std::size_t white_space_at_front(std::string_view text);
std::size_t white_space_at_back(std::string_view text);

} // namespace troupe
