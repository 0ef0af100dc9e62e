// An answer that is sent in one piece: collects what the choices bring and writes OpenAI's object
// at the end.
#pragma once

#include "actors/messages.hpp"
#include "transport/api/answer_head.hpp"
#include "transport/api/logprobs.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe {

class whole_answer {
 public:
  whole_answer(answer_head head, std::size_t choices);

  void add(delta&& part);
  void add(finished&& end);
  /// About how much memory has been collected.
  std::size_t bytes() const { return bytes_; }
  std::string write(const token_usage& total) const;

 private:
  struct choice {
    std::string text;
    reported_tokens tokens;
    reported_tokens prompt;
    finished end;
  };

  std::string write(const choice& each, std::size_t index) const;

  answer_head head_;
  std::vector<choice> choices_;
  std::size_t bytes_ = 0;
};

} // namespace troupe
