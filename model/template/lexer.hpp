// From source text to tokens, with Jinja's whitespace rules as transformers sets them: trim_blocks
// (the newline after a block tag goes) and lstrip_blocks (the blanks before a block tag that begins
// a line go).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::jinja {

enum class token_kind : std::uint8_t {
  data,
  block_begin,
  block_end,
  variable_begin,
  variable_end,
  name,
  string,
  integer,
  floating,
  symbol, ///< operators and brackets; the token's text says which.
  end
};

struct token {
  token_kind kind = token_kind::end;
  std::string text; ///< strings are already unescaped.
  std::uint32_t line = 1;
};

/// The last token is `end`. Throws template_error.
std::vector<token> tokenize(std::string_view source);

/// A template_error for that line.
[[noreturn]] void fail_at(std::uint32_t line, std::string_view message);

} // namespace troupe::jinja
