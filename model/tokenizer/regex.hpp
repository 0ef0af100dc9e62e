// Regular expressions of tokenizer.json, run by PCRE2. The files are written for Oniguruma in
// Unicode mode; where the two languages differ in what they match, the pattern is rewritten, and
// where that cannot be done it is refused.
#pragma once

#include "model/text_range.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// A compiled pattern, immutable: many threads may search with it.
class regex {
 public:
  /// Throws std::invalid_argument, saying what is wrong, where the pattern does not compile, uses
  /// what PCRE2 lacks, or backtracks without bound on repetitive text (it is tried on some).
  explicit regex(std::string_view pattern);

  /// A pattern that matches `text` itself.
  static regex literal(std::string_view text);

  /// Calls found(text_range) for each match in `text`, which must be valid UTF-8, from left to
  /// right without overlap. Throws model_error where a search exceeds the limit of 10^7 steps.
  template <class Found>
  void each_match(std::string_view text, Found&& found) const {
    for (search matches(*this, text); const auto match = matches.next();) found(*match);
  }

 private:
  struct code;

  bool endures_repetition(std::string_view pattern) const;

  class search {
   public:
    struct scratch;

    search(const regex& pattern, std::string_view text);
    std::optional<text_range> next();

   private:
    const code& code_;
    std::string_view text_;
    std::size_t at_ = 0;
    std::shared_ptr<scratch> scratch_;
  };

  std::shared_ptr<const code> code_;
};

} // namespace troupe
