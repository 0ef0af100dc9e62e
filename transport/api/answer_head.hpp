// What every part of one answer repeats.
#pragma once

#include "transport/api/parse_request.hpp"

#include <cstdint>
#include <string>

namespace troupe {

struct answer_head {
  std::string id;           ///< of the request, with the shape's prefix
  std::int64_t created = 0; ///< Unix seconds
  std::string model;
  api_shape shape = api_shape::chat;
  bool include_usage = false;
  bool logprobs = false;        ///< of the generated tokens
  bool prompt_logprobs = false; ///< as a list of its own
  bool echo_logprobs = false;   ///< the prompt's tokens before the generated ones
};

/// The head of the answer to `parsed`, whose id is set. `model` is printed where it names none.
answer_head make_head(const parsed_request& parsed, const std::string& model, std::int64_t created);

/// {"id":…,"object":…,"created":…,"model":… without its closing brace.
std::string open_object(const answer_head& head, std::string_view object);

} // namespace troupe
