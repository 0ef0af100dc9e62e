// One pass over the source. Outside tags it looks for the next opening delimiter; inside, it reads
// names, numbers, strings and operators until the closing one, which counts only where brackets are
// balanced (`{{ {'a': {}} }}`).
#include "model/template/lexer.hpp"

#include "model/template/template_error.hpp"
#include "model/template/unescape.hpp"
#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::jinja {
namespace {

/// \r\n and \r become \n; one newline at the end goes.
std::string normalize(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t at = 0; at < source.size(); ++at) {
    if (source[at] == '\r') {
      out.push_back('\n');
      if (at + 1 < source.size() && source[at + 1] == '\n') ++at;
    } else {
      out.push_back(source[at]);
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class lexer {
 public:
  explicit lexer(std::string_view source) : source_(normalize(source)) {}

  std::vector<token> run() {
    while (at_ < source_.size()) read_data();
    add(token_kind::end, {});
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  bool sees(std::string_view what) const { return rest().starts_with(what); }
  void add(token_kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  /// Moves on by `count` bytes and counts their lines.
  void advance(std::size_t count) {
    const auto passed = rest().substr(0, count);
    line_ += static_cast<std::uint32_t>(std::count(passed.begin(), passed.end(), '\n'));
    at_ += passed.size();
    if (!passed.empty()) line_starting_ = passed.back() == '\n';
  }
  void skip_spaces() {
    while (at_ < source_.size()) {
      const code_point found = decode(source_, at_);
      if (!is_space(found.code)) return;
      advance(found.size);
    }
  }

  std::size_t find_open() const {
    for (std::size_t at = source_.find('{', at_); at != std::string::npos;
         at = source_.find('{', at + 1)) {
      const char next = at + 1 < source_.size() ? source_[at + 1] : ' ';
      if (next == '{' || next == '%' || next == '#') return at;
    }
    return std::string::npos;
  }

  /// The data before a tag, cut as the tag's sign says.
  void add_data(std::size_t end, char sign, bool lstrip) {
    std::string_view data = std::string_view(source_).substr(at_, end - at_);
    const std::size_t whole = data.size();
    if (sign == '-') {
      while (!data.empty()) {
        const code_point last = decode_before(data, data.size());
        if (!is_space(last.code)) break;
        data.remove_suffix(last.size);
      }
    } else if (sign != '+' && lstrip) {
      const std::size_t newline = data.rfind('\n');
      const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
      bool blank = begin > 0 || line_starting_;
      for (std::size_t at = begin; blank && at < data.size();) {
        const code_point found = decode(data, at);
        blank = is_space(found.code);
        at += found.size;
      }
      if (blank) data = data.substr(0, begin);
    }
    if (!data.empty()) add(token_kind::data, std::string(data));
    advance(whole);
  }

  char sign_at(std::size_t at) const {
    return at < source_.size() && (source_[at] == '-' || source_[at] == '+') ? source_[at] : '\0';
  }

  void read_data() {
    const std::size_t open = find_open();
    if (open == std::string::npos) {
      add_data(source_.size(), '+', false);
      return;
    }
    const char kind = source_[open + 1];
    const char sign = sign_at(open + 2);
    add_data(open, sign, kind != '{');
    const std::size_t opening = sign ? 3 : 2;
    if (kind == '#') {
      advance(opening);
      skip_comment();
    } else if (kind == '%' && read_raw(opening)) {
      return;
    } else {
      add(kind == '%' ? token_kind::block_begin : token_kind::variable_begin, {});
      advance(opening);
      read_tag(kind == '%');
    }
  }

  void skip_comment() {
    const std::size_t close = source_.find("#}", at_);
    if (close == std::string::npos) fail_at(line_, "a comment is not closed; add \"#}\"");
    const char sign = close > at_ ? sign_at(close - 1) : '\0';
    advance(close + 2 - at_);
    after_close(sign);
  }

  /// What follows a closing delimiter of a block or a comment.
  void after_close(char sign) {
    if (sign == '-') {
      skip_spaces();
    } else if (sign != '+' && sees("\n")) {
      advance(1);
    }
  }

  /// The byte after "{% NAME" at `from`, or npos; `from` is just behind the delimiter and its sign.
  std::size_t match_word(std::size_t from, std::string_view word) const {
    while (from < source_.size() && is_space(decode(source_, from).code))
      from += decode(source_, from).size;
    if (source_.compare(from, word.size(), word) != 0) return std::string::npos;
    from += word.size();
    while (from < source_.size() && is_space(decode(source_, from).code))
      from += decode(source_, from).size;
    return from;
  }

  bool read_raw(std::size_t opening) {
    const std::size_t close = match_word(at_ + opening, "raw");
    if (close == std::string::npos) return false;
    if (source_.compare(close, 3, "-%}") == 0) {
      advance(close + 3 - at_);
      skip_spaces();
    } else if (source_.compare(close, 2, "%}") == 0) {
      advance(close + 2 - at_);
    } else {
      return false;
    }
    for (std::size_t open = source_.find("{%", at_); open != std::string::npos;
         open = source_.find("{%", open + 1)) {
      const char sign = sign_at(open + 2);
      std::size_t end = match_word(open + (sign ? 3 : 2), "endraw");
      if (end == std::string::npos) continue;
      const char closing = sign_at(end);
      if (closing) ++end;
      if (source_.compare(end, 2, "%}") != 0) continue;
      add_data(open, sign, true);
      advance(end + 2 - at_);
      after_close(closing);
      return true;
    }
    fail_at(line_, "{% raw %} is not closed; add {% endraw %}");
  }

  bool read_close(bool block) {
    const std::string_view mark = block ? "%}" : "}}";
    const char sign = sees("-") || (block && sees("+")) ? source_[at_] : '\0';
    if (source_.compare(at_ + (sign ? 1 : 0), 2, mark) != 0) return false;
    add(block ? token_kind::block_end : token_kind::variable_end, {});
    advance(sign ? 3 : 2);
    if (block) {
      after_close(sign);
    } else if (sign) {
      skip_spaces();
    }
    return true;
  }

  void read_tag(bool block) {
    std::string open; // closing brackets awaited
    const std::uint32_t begin = line_;
    for (skip_spaces(); at_ < source_.size(); skip_spaces()) {
      if (open.empty() && read_close(block)) return;
      const char c = source_[at_];
      if (is_digit(c)) {
        read_number();
      } else if (is_word(c)) {
        read_name();
      } else if (c == '\'' || c == '"') {
        read_string(c);
      } else {
        read_symbol(open);
      }
    }
    fail_at(begin, block ? "a tag is not closed; add \"%}\""
                         : "a print statement is not closed; add \"}}\"");
  }

  void read_name() {
    std::size_t size = 0;
    while (at_ + size < source_.size() && is_word(source_[at_ + size])) {
      const code_point found = decode(source_, at_ + size);
      if (found.code >= 0x80 && !is_alpha(found.code) && !is_numeric(found.code)) break;
      size += found.size;
    }
    if (size == 0) fail_at(line_, "a character that no name may hold; remove it");
    add(token_kind::name, std::string(rest().substr(0, size)));
    advance(size);
  }

  /// Digits with single underscores between them, from `from`; their end.
  std::size_t digits(std::size_t from, std::string_view allowed) const {
    const auto is_one = [&](std::size_t at) {
      return at < source_.size() && allowed.find(source_[at]) != std::string_view::npos;
    };
    while (is_one(from) || (from < source_.size() && source_[from] == '_' && is_one(from + 1)))
      ++from;
    return from;
  }

  void read_number() {
    constexpr std::string_view decimal = "0123456789";
    std::size_t end = digits(at_, decimal);
    const auto exponent = [&](std::size_t from) {
      if (from >= source_.size() || (source_[from] != 'e' && source_[from] != 'E')) return from;
      const std::size_t first = sign_at(from + 1) ? from + 2 : from + 1;
      return first < source_.size() && is_digit(source_[first]) ? digits(first, decimal) : from;
    };
    const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
    std::size_t real = end;
    if (real + 1 < source_.size() && source_[real] == '.' && is_digit(source_[real + 1]))
      real = digits(real + 1, decimal);
    real = exponent(real);
    token_kind kind = token_kind::integer;
    if (real != end && !after_dot) {
      end = real;
      kind = token_kind::floating;
    } else if (source_[at_] == '0') {
      end = integer_with_zero();
    }
    std::string text(source_, at_, end - at_);
    text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
    add(kind, std::move(text));
    advance(end - at_);
  }

  std::size_t integer_with_zero() const {
    const char base = at_ + 1 < source_.size() ? static_cast<char>(source_[at_ + 1] | 0x20) : ' ';
    std::string_view allowed;
    if (base == 'x') allowed = "0123456789abcdefABCDEF";
    if (base == 'o') allowed = "01234567";
    if (base == 'b') allowed = "01";
    if (!allowed.empty()) {
      const std::size_t end = digits(at_ + 2, allowed);
      if (end > at_ + 2) return end;
    }
    return digits(at_, "0");
  }

  void read_string(char quote) {
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) fail_at(line_, "a string is not closed; add its quote");
    add(token_kind::string,
        unescape(std::string_view(source_).substr(at_ + 1, end - at_ - 1), line_));
    advance(end + 1 - at_);
  }

  void read_symbol(std::string& open) {
    static constexpr std::array<std::string_view, 6> pairs = {"//", "**", "==", "!=", ">=", "<="};
    static constexpr std::string_view singles = "+-/*%~[](){}<>=.:|,;";
    const char c = source_[at_];
    std::string text(1, c);
    for (const std::string_view pair : pairs) {
      if (sees(pair)) text = pair;
    }
    if (text.size() == 1 && singles.find(c) == std::string_view::npos) {
      fail_at(line_, fmt::format("unexpected character \"{}\"; remove it", c));
    }
    if (c == '{') open.push_back('}');
    if (c == '(') open.push_back(')');
    if (c == '[') open.push_back(']');
    if (c == '}' || c == ')' || c == ']') {
      if (open.empty() || open.back() != c)
        fail_at(line_, fmt::format("\"{}\" closes nothing; remove it or open it", c));
      open.pop_back();
    }
    add(token_kind::symbol, text);
    advance(text.size());
  }

  std::string source_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  bool line_starting_ = true;
  std::vector<token> tokens_;
};

} // namespace

std::vector<token> tokenize(std::string_view source) { return lexer(source).run(); }

void fail_at(std::uint32_t line, std::string_view message) {
  throw template_error(fmt::format("chat template, line {}: {}", line, message));
}

} // namespace troupe::jinja
