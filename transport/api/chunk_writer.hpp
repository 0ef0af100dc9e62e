// The chunks of a streamed answer as OpenAI writes them: for chats a role chunk for each choice,
// then content as it comes, a last chunk with the finish reason, and the usage where it was asked.
// Every door sends these same objects.
#pragma once

#include "actors/messages.hpp"
#include "transport/api/answer_head.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe {

class chunk_writer {
 public:
  chunk_writer(answer_head head, std::size_t choices);

  /// The first chunk of a choice; empty for completions, which have none.
  std::string role(std::uint32_t choice) const;
  /// What a delta brings.
  std::string content(delta&& part);
  std::string finish(const finished& end) const;
  /// The chunk with no choices.
  std::string usage(const token_usage& total) const;

 private:
  std::string choice_chunk(std::uint32_t choice, std::string_view middle,
                           std::string_view reason) const;

  answer_head head_;
  std::string prefix_;               // of every chunk, up to its choices
  std::vector<std::size_t> offsets_; // characters written of each choice
};

} // namespace troupe
