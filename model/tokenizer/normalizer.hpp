// The first thing done to a stretch of text: what tokenizer.json's "normalizer" asks for, such as
// Unicode's normal forms or SentencePiece's mark in place of a space.
#pragma once

#include "model/tokenizer/regex.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class json_field;

class normalizer {
 public:
  normalizer() = default; ///< changes nothing
  /// Throws model_error for a type that is not supported.
  explicit normalizer(const json_field& field);

  bool empty() const { return steps_.empty(); }
  std::string apply(std::string_view text) const;

 private:
  struct step {
    enum class kind { prepend, replace, unicode_form, lowercase, strip };
    kind what;
    std::string text;                         // what is prepended, or put in place
    std::string literal;                      // what is replaced, where it is no pattern
    std::optional<regex> pattern;             // what is replaced
    bool compose = false, compatible = false; // the Unicode form: NFC, NFKC, NFD, NFKD
    bool left = false, right = false;         // the sides that are stripped
  };

  void read(const json_field& field, int depth);
  static step read_replace(const json_field& field);
  static std::string apply(const step& step, std::string_view text);

  std::vector<step> steps_;
};

} // namespace troupe
