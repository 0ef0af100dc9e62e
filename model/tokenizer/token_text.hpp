// What each token adds to the text, worked out once while loading from tokenizer.json's "decoder".
// Decoding is then to put bytes one after the other, and to drop what the decoder strips from the
// front of the whole text.
#pragma once

#include "config/sampling.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

class json_field;

class token_text {
 public:
  /// `spellings` by id. Throws model_error for a decoder that is not supported.
  token_text(const json_field& decoder, const std::vector<std::string>& spellings);

  /// The bytes that a token adds; empty for an id outside the vocabulary. One token may hold a part
  /// of a character.
  std::string_view bytes(token_id id) const;

  /// The bytes that it adds where it is the first of a text.
  std::string_view first_bytes(token_id id) const;

  /// How often this string is dropped from the front of the whole text, at most.
  std::string_view stripped() const { return stripped_; }
  std::size_t strip_count() const { return strip_count_; }

 private:
  using change = std::function<void(std::string& token)>;

  void read(const json_field& decoder, int depth);
  void read_replace(const json_field& decoder);
  void read_strip(const json_field& decoder);
  void spell(const std::vector<std::string>& spellings);

  std::vector<change>
      changes_;            // what is done to each token's spelling, in order; empty once loaded
  std::string first_mark_; // dropped from the first token (Metaspace), or empty
  bool fused_ = false;     // after Fuse a decoder sees the whole text
  std::string stripped_;
  std::size_t strip_count_ = 0;

  std::string text_;              // of all tokens
  std::vector<std::size_t> ends_; // by id: where its bytes end in text_
  std::vector<std::pair<token_id, std::string>> different_as_first_; // sorted by id
};

} // namespace troupe
