#include "app/bench/json_scan.hpp"

#include <cstddef>

namespace troupe {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

/// The length of the string that `text` begins with, quotes included; npos: it does not end.
std::size_t string_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return std::string_view::npos;
}

/// The same of any value. Brackets are counted, so that no text makes it recurse.
std::size_t value_length(std::string_view text) {
  if (text.empty()) return std::string_view::npos;
  if (text.front() == '"') return string_length(text);
  std::size_t open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      const std::size_t size = string_length(text.substr(i));
      if (open == 0 || size == std::string_view::npos) return std::string_view::npos;
      i += size - 1;
    } else if (c == '{' || c == '[') {
      ++open;
    } else if (c == '}' || c == ']') {
      if (open == 0) return i;
      if (--open == 0) return i + 1;
    } else if (open == 0 && (c == ',' || blanks.find(c) != std::string_view::npos)) {
      return i;
    }
  }
  return std::string_view::npos;
}

} // namespace

json_members::json_members(std::string_view text) : left_(without_blanks(text)) {
  sound_ = take('{');
}

bool json_members::fail() {
  sound_ = false;
  ended_ = true;
  return false;
}

void json_members::skip_blanks() { left_ = without_blanks(left_); }

bool json_members::take(char wanted) {
  if (left_.empty() || left_.front() != wanted) return false;
  left_.remove_prefix(1);
  skip_blanks();
  return true;
}

bool json_members::take_string(std::string_view& out) {
  if (left_.empty() || left_.front() != '"') return false;
  const std::size_t size = string_length(left_);
  if (size == std::string_view::npos) return false;
  out = left_.substr(1, size - 2);
  left_.remove_prefix(size);
  skip_blanks();
  return true;
}

bool json_members::take_value() {
  const std::size_t size = value_length(left_);
  if (size == std::string_view::npos || size == 0) return false;
  value_ = left_.substr(0, size);
  left_.remove_prefix(size);
  skip_blanks();
  return true;
}

bool json_members::next() {
  if (!sound_ || ended_) return false;
  if (take('}')) {
    ended_ = true;
    return left_.empty() ? false : fail();
  }
  if (!first_ && !take(',')) return fail();
  first_ = false;
  return take_string(name_) && take(':') && take_value() ? true : fail();
}

std::string_view first_element(std::string_view text) {
  if (text.empty() || text.front() != '[') return {};
  const std::string_view rest = without_blanks(text.substr(1));
  if (rest.empty() || rest.front() == ']') return {};
  const std::size_t size = value_length(rest);
  return size == std::string_view::npos ? std::string_view() : rest.substr(0, size);
}

} // namespace troupe
