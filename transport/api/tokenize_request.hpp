// The bodies of /tokenize and /detokenize. Two families of clients use these paths with different
// fields; which one speaks is told by its keys, and it is answered in its own shape.
#pragma once

#include "actors/messages.hpp"
#include "transport/door_settings.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace troupe {

struct tokenize_request {
  prompt_input prompt;
  bool add_special_tokens = true;
  bool by_content = false; ///< {"content"} asked: the answer has "tokens" only
  bool spellings = false;  ///< return_token_strs or with_pieces
};

std::variant<tokenize_request, api_error> parse_tokenize(std::string_view body,
                                                         const request_limits& limits);
/// {"tokens": [ids]}.
std::variant<token_ids, api_error> parse_detokenize(std::string_view body,
                                                    const request_limits& limits);

std::string tokenize_answer(const tokenize_request& asked, const tokenized& found);
std::string detokenize_answer(const tokenized& found);

} // namespace troupe
