// Text from outside, made safe to show: on a terminal, in an error, in a log line. What cannot be
// seen (control characters, bytes that are not UTF-8, marks that reverse the direction of writing)
// is shown as an escape, so that no text can pass for more lines, or other lines, than it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

/// The length in bytes of the well-formed UTF-8 character that `text` begins with (Unicode, table
/// 3-7), or 0.
std::size_t utf8_character_length(std::string_view text);

bool is_well_formed_utf8(std::string_view text);

/// True where a character of `text` is a control character (C0, DEL, C1).
bool has_control(std::string_view text);

/// `text` with invisible characters as \n, \t, \xNN or \u{NNNN}, backslashes doubled; cut with an
/// ellipsis where it would be longer than `limit` bytes. `limit` 0: never cut.
std::string printable(std::string_view text, std::size_t limit = 0);

/// `text` in double quotes, printable, with the quotes inside it escaped.
std::string printable_in_quotes(std::string_view text, std::size_t limit = 0);

} // namespace troupe
