// See unicode_form.hpp. utf8proc knows the characters; marks are put in order here, because
// utf8proc's own ordering is quadratic in a run of marks, and such a run can come from anybody.
#include "model/tokenizer/unicode_form.hpp"

#include "model/tokenizer/utf8.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

namespace troupe {
namespace {

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// Sorts each run of characters whose combining class is not 0, keeping those of one class in order.
void order_marks(std::vector<utf8proc_int32_t>& text) {
  const auto class_of = [](utf8proc_int32_t c) {
    return utf8proc_get_property(c)->combining_class;
  };
  for (auto begin = text.begin(); begin != text.end(); ++begin) {
    if (class_of(*begin) == 0) continue;
    const auto end = std::find_if(begin, text.end(), [&](auto c) { return class_of(c) == 0; });
    std::stable_sort(begin, end, [&](auto a, auto b) { return class_of(a) < class_of(b); });
    begin = end - 1;
  }
}

} // namespace

std::string unicode_form(std::string_view text, bool compose, bool compatible) {
  // ASCII is in every form; but the last of it may combine with what follows.
  auto plain =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_ascii) - text.begin());
  if (plain == text.size()) return std::string(text);
  if (plain > 0) --plain;

  const auto form = (compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) | UTF8PROC_STABLE |
                    (compatible ? UTF8PROC_COMPAT : 0);
  const auto parts = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE |
                                                    (compatible ? UTF8PROC_COMPAT : 0));
  std::vector<utf8proc_int32_t> characters;
  characters.reserve(text.size() - plain);
  std::array<utf8proc_int32_t, 32> decomposed{}; // the longest decomposition has 18
  for (auto at = plain; at < text.size(); at += utf8_length(text[at])) {
    int boundary = 0;
    const auto code_point = static_cast<utf8proc_int32_t>(utf8_code_point(text.substr(at)));
    const auto count =
        utf8proc_decompose_char(code_point, decomposed.data(), decomposed.size(), parts, &boundary);
    const auto kept = std::clamp<utf8proc_ssize_t>(count, 0, decomposed.size());
    characters.insert(characters.end(), decomposed.begin(), decomposed.begin() + kept);
  }
  order_marks(characters);
  auto count = static_cast<utf8proc_ssize_t>(characters.size());
  if (compose)
    count =
        utf8proc_normalize_utf32(characters.data(), count, static_cast<utf8proc_option_t>(form));

  std::string out(text.substr(0, plain));
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    append_code_point(static_cast<char32_t>(characters[static_cast<std::size_t>(i)]), out);
  }
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (; !text.empty(); text.remove_prefix(utf8_length(text.front()))) {
    const auto lower = utf8proc_tolower(static_cast<utf8proc_int32_t>(utf8_code_point(text)));
    append_code_point(static_cast<char32_t>(lower), out);
  }
  return out;
}

} // namespace troupe
