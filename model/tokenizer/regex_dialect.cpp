// See regex_dialect.hpp. The differences that matter: \s is the property White_Space (PCRE2 adds
// U+180E), \w is wider than letters, numbers and "_", \h is a hexadecimal digit, and [..] may hold
// sets and && (where PCRE2 would take both literally).
#include "model/tokenizer/regex_dialect.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace troupe {
namespace {

constexpr std::string_view word = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";

class translation {
 public:
  explicit translation(std::string_view pattern) : pattern_(pattern) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] == '\\') {
        escape();
      } else if (in_set_) {
        set_member();
      } else {
        if (pattern_[at_] == '[')
          open_set();
        else
          copy(1);
      }
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw std::invalid_argument(
        fmt::format("\"{}\" uses {}, which is not supported", pattern_, what));
  }

  bool ahead(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }

  void copy(std::size_t count) {
    out_ += pattern_.substr(at_, count);
    at_ += count;
  }

  void replace(std::size_t count, std::string_view with) {
    out_ += with;
    at_ += count;
  }

  void escape() {
    const auto letter = at_ + 1 < pattern_.size() ? pattern_[at_ + 1] : '\0';
    switch (letter) {
    case 's':
      return replace(2, R"(\p{White_Space})");
    case 'S':
      return replace(2, R"(\P{White_Space})");
    case 'w':
      return replace(2, in_set_ ? std::string(word) : fmt::format("[{}]", word));
    case 'h':
      return replace(2, in_set_ ? "0-9A-Fa-f" : "[0-9A-Fa-f]");
    case 'W':
      if (in_set_) refuse("\\W within a set");
      return replace(2, fmt::format("[^{}]", word));
    case 'H':
      if (in_set_) refuse("\\H within a set");
      return replace(2, "[^0-9A-Fa-f]");
    default:
      return copy(2);
    }
  }

  void open_set() {
    in_set_ = true;
    copy(1);
    if (at_ < pattern_.size() && pattern_[at_] == '^') copy(1);
    if (at_ < pattern_.size() && pattern_[at_] == ']') copy(1);
  }

  void set_member() {
    if (ahead("[:")) {
      const auto end = pattern_.find(":]", at_);
      if (end == std::string_view::npos) refuse("an unended [: :]");
      return copy(end + 2 - at_);
    }
    if (ahead("[")) refuse("a set within a set");
    if (ahead("&&")) refuse("an intersection of sets");
    if (ahead("]")) in_set_ = false;
    copy(1);
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  bool in_set_ = false;
  std::string out_;
};

} // namespace

std::string from_oniguruma(std::string_view pattern) { return translation(pattern).run(); }

std::string quoted(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    const auto plain = static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') ||
                       (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '\n' || c == '\r' ||
                       c == '\t';
    if (!plain) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

} // namespace troupe
