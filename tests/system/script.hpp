// What the scripted executor says: each token is a function of the seed and of every token before
// it, so that a token lost, doubled, swapped or taken from a neighbour changes all that follow.
#pragma once

#include "model/step.hpp"
#include "model/tokenizer/tokenizer.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace troupe {

class script {
 public:
  /// Says any token of the vocabulary that is not special.
  explicit script(const tokenizer& words);

  /// The state before any token.
  std::uint64_t begin(std::uint64_t seed) const;
  std::uint64_t follow(std::uint64_t state, token_id id) const;
  /// What is said in this state.
  token_id next(std::uint64_t state) const;

  /// All that is generated behind the prompt.
  token_ids continuation(std::span<const token_id> prompt, std::uint64_t seed,
                         std::size_t tokens) const;

 private:
  std::vector<token_id> vocabulary_;
};

} // namespace troupe
