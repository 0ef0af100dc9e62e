// What a sequence must come to, known before it is run: every token is a hash of all tokens before
// it, so that a wrong, lost, repeated or foreign input anywhere changes everything behind it.
#pragma once

#include "actors/logic/sequence.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Token ids of the fake model.
inline constexpr std::uint32_t fake_vocabulary = 64;

struct script {
  sequence_spec spec;             ///< as it is enqueued at first
  std::vector<std::string> stops; ///< stop strings
  bool include_stop = false;

  token_ids ids;                     ///< prompt and max_tokens more, whatever ends it earlier
  std::vector<std::uint64_t> prefix; ///< of each position: hash of salt and all tokens up to it
  std::uint32_t generated = 0;       ///< tokens until its end
  finish_reason end = finish_reason::length;
  std::string text;      ///< of the whole continuation
  std::string uncut;     ///< the same with the stop string, where one ends it
  std::string stop_text; ///< the stop string that ends it, or empty
  bool too_large = false;
};

/// The text of a token of the fake model.
std::string fake_text(token_id id);

/// Fills in what follows from spec, stops and include_stop.
void write_script(script& it);

} // namespace troupe
