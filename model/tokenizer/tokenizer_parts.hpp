// The parts that a tokenizer is put together from while loading. Internal to this folder.
#pragma once

#include "model/tokenizer/added_tokens.hpp"
#include "model/tokenizer/bpe.hpp"
#include "model/tokenizer/normalizer.hpp"
#include "model/tokenizer/pre_tokenizer.hpp"
#include "model/tokenizer/string_index.hpp"
#include "model/tokenizer/token_text.hpp"
#include "model/tokenizer/tokenizer.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

struct tokenizer::parts {
  added_token_finder in_text;       // found in the text as it is
  added_token_finder in_normalized; // found once it is normalized
  normalizer normal;
  pre_tokenizer pieces;
  bpe model;
  std::vector<token_id> before, after; // put around a text
  std::vector<std::string> spellings;  // by id
  string_index ids;
  std::vector<bool> special; // by id
  token_text texts;
  std::map<std::string, std::string> special_strings;
};

} // namespace troupe
