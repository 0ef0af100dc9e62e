// A tokenizer for a model of random weights: byte-level BPE without merges, so that every text is
// its bytes, in any vocabulary size and with nobody's vocabulary copied. A random model samples ids
// from all over its vocabulary; each has a spelling, or a stream of its answer would be silent.
#pragma once

#include "config/sampling.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// The ids: 256 bytes, the two special tokens, and short words that no text is encoded to.
inline constexpr token_id byte_tokenizer_bos = 256;
inline constexpr token_id byte_tokenizer_eos = 257;

/// What a token beyond the special ones adds to the text: a space and one to four letters, each
/// different.
std::string filler_word(token_id id);

/// A tokenizer.json of `vocab` ids, at least 258.
std::string tokenizer_json(std::int32_t vocab);

/// A tokenizer_config.json with a chat template that writes "role: content" lines.
std::string tokenizer_config_json(std::int32_t max_positions);

} // namespace troupe
