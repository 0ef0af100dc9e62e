// The alphabet in which byte-level vocabularies are spelled: each of the 256 bytes has a printable
// character of its own (GPT-2, Radford et al. 2019). Bytes that are printable in Latin-1 stand for
// themselves; the others, in order, are U+0100, U+0101 and so on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// The bytes that `spelling` stands for, or nothing where it has a character that is not of the
/// alphabet.
std::optional<std::string> bytes_of_spelling(std::string_view spelling);

/// How `bytes` are spelled in the alphabet.
std::string spelling_of_bytes(std::string_view bytes);

} // namespace troupe
