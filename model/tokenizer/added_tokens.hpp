// Tokens that stand beside the vocabulary and are found in the text before anything else: a chat
// format's marks, tool tags, runs of spaces. They cut the text into stretches that are tokenized
// each by itself.
#pragma once

#include "config/sampling.hpp"
#include "model/text_range.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

class json_field;

struct added_token {
  std::string content;
  token_id id = -1;
  bool special = false;     ///< a mark of the format, found only in trusted text
  bool single_word = false; ///< only where no letter, digit or "_" touches it
  bool lstrip = false;      ///< takes the white space before it
  bool rstrip = false;      ///< takes the white space after it
  bool normalized = false;  ///< found in normalized text
};

/// Reads one entry of added_tokens; throws model_error where a field is malformed or the content is
/// empty.
added_token read_added_token(const json_field& entry, token_id id);

/// Finds a set of added tokens in text: at each place the longest one that is allowed there.
class added_token_finder {
 public:
  added_token_finder() = default;
  explicit added_token_finder(std::vector<added_token> tokens);

  bool empty() const { return tokens_.empty(); }

  /// Calls found(range, id) for the stretches of `text` in order; id is -1 for a stretch between
  /// tokens, never empty. Special tokens that touch a range of `untrusted` (sorted) are not found.
  template <class Found>
  void split(std::string_view text, std::span<const text_range> untrusted, Found&& found) const {
    std::size_t done = 0;
    cursor matches{*this, text, untrusted};
    while (const auto match = matches.next(done)) {
      if (match->range.begin > done) found(text_range{done, match->range.begin}, token_id{-1});
      found(match->range, match->id);
      done = match->range.end;
    }
    if (done < text.size()) found(text_range{done, text.size()}, token_id{-1});
  }

 private:
  struct match {
    text_range range;
    token_id id;
  };
  struct cursor {
    const added_token_finder& finder;
    std::string_view text;
    std::span<const text_range> untrusted;

    std::optional<match> next(std::size_t from);
  };
  struct node {
    std::int32_t token = -1;                                    // index into tokens_, or -1
    std::vector<std::pair<unsigned char, std::uint32_t>> after; // by next byte
  };

  const added_token* longest_at(std::string_view text, std::size_t at,
                                std::span<const text_range> untrusted) const;

  std::vector<added_token> tokens_;
  std::vector<node> trie_;
  std::array<bool, 256> begins_{}; // whether a token begins with this byte
};

} // namespace troupe
