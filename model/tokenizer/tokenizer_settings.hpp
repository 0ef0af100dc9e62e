// What tokenizer_config.json and special_tokens_map.json add to tokenizer.json: which token begins
// and ends a text, and which strings a chat template may write as such.
#pragma once

#include "model/tokenizer/added_tokens.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct tokenizer_settings {
  std::map<std::string, std::string>
      special; ///< "bos_token", "eos_token", "pad_token"... and how they are spelled
  std::optional<bool>
      add_bos_token; ///< where set, it has the last word on what stands before a text
  std::optional<bool> add_eos_token; ///< and after it
  std::vector<added_token> added;    ///< added_tokens_decoder
};

/// Reads the two files of `folder`; either may be absent. Throws model_error where one is
/// malformed.
tokenizer_settings read_tokenizer_settings(const std::filesystem::path& folder);

} // namespace troupe
