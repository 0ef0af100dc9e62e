// See byte_alphabet.hpp. The printable bytes are three runs, so both directions are arithmetic and
// need no table.
#include "model/tokenizer/byte_alphabet.hpp"

#include "model/tokenizer/utf8.hpp"

namespace troupe {
namespace {

// Not printable: 0x00-0x20 (33 of them), 0x7F-0xA0 (34) and 0xAD; they become U+0100 to U+0143.
char32_t character_of(unsigned char byte) {
  if (byte <= 0x20) return 0x100 + byte;
  if (byte >= 0x7F && byte <= 0xA0) return 0x100U + 33 + (byte - 0x7FU);
  if (byte == 0xAD) return 0x143;
  return byte;
}

int byte_of(char32_t character) {
  if (character == 0x143) return 0xAD;
  if (character >= 0x121 && character <= 0x142) return static_cast<int>(character - 0x121 + 0x7F);
  if (character >= 0x100 && character <= 0x120) return static_cast<int>(character - 0x100);
  const auto printable = (character >= 0x21 && character <= 0x7E) ||
                         (character >= 0xA1 && character <= 0xFF && character != 0xAD);
  return printable ? static_cast<int>(character) : -1;
}

} // namespace

std::optional<std::string> bytes_of_spelling(std::string_view spelling) {
  std::string bytes;
  bytes.reserve(spelling.size());
  while (!spelling.empty()) {
    const auto byte = byte_of(utf8_code_point(spelling));
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(static_cast<unsigned char>(byte));
    spelling.remove_prefix(utf8_length(spelling.front()));
  }
  return bytes;
}

std::string spelling_of_bytes(std::string_view bytes) {
  std::string spelling;
  spelling.reserve(bytes.size() * 2);
  for (const char byte : bytes)
    append_code_point(character_of(static_cast<unsigned char>(byte)), spelling);
  return spelling;
}

} // namespace troupe
