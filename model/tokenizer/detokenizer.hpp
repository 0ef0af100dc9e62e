// Text from tokens as they come, for a stream: what push() and finish() return, put together, is
// what decode() makes of all the ids at once, and no piece ends inside a character.
#pragma once

#include "config/sampling.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace troupe {

class tokenizer;

/// One for each sequence.
class detokenizer {
 public:
  /// `continues`: the tokens follow on a text, so a space at their front is part of it. Otherwise
  /// the tokenizers that put a space before every text drop it again here, as decode() does.
  detokenizer(std::shared_ptr<const tokenizer> tokenizer, bool skip_special,
              bool continues = false);

  /// The text that became complete with this token: "" while a character is incomplete.
  std::string push(token_id id);

  /// What is left, an incomplete character as U+FFFD. Then it is as new.
  std::string finish();

 private:
  void strip_front();

  std::shared_ptr<const tokenizer> tokenizer_;
  bool skip_special_;
  bool continues_;
  bool first_;
  std::size_t to_strip_;
  std::string pending_; // bytes not yet given out
};

} // namespace troupe
