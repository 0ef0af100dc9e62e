// The text of prompts, made when it is needed: token i of a run is a pure function of the seed and
// the run, so that a plan of many millions of tokens takes no memory for them. Tokens are token
// ids, or words where a server takes text alone.
#pragma once

#include "app/bench/plan.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class prompt_writer {
 public:
  /// Prompts are arrays of ids, drawn from these. Throws std::invalid_argument where there are
  /// none.
  static prompt_writer of_ids(const std::vector<std::uint32_t>& ids, std::uint64_t seed);
  /// Prompts are strings of common English words with blanks between them. Most vocabularies have
  /// a token for each.
  static prompt_writer of_words(std::uint64_t seed);

  /// Appends the prompt as a JSON value.
  void append(const std::vector<prompt_run>& prompt, std::string& out) const;

 private:
  prompt_writer(std::vector<std::string> pieces, std::uint64_t seed, char open, char between,
                char close);

  std::vector<std::string> pieces_; // each with what parts it from the next
  std::uint64_t seed_;
  char open_;
  char between_;
  char close_;
};

/// The words, with blanks between them.
std::string_view prompt_words();

/// The ids of a vocabulary of this size that prompts are drawn from: the middle three quarters,
/// since ids with a meaning of their own stand at either end. A vocabulary is not empty.
std::vector<std::uint32_t> middle_of_vocabulary(std::uint32_t size);

} // namespace troupe
