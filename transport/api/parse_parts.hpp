// The parts of parse_request, one a theme. Each reads its fields into the request; what is wrong
// stays in the reader.
#pragma once

#include "transport/api/field_reader.hpp"
#include "transport/api/parse_request.hpp"

namespace troupe {

/// temperature, top_p, top_k, min_p, penalties, seed, logit_bias.
void parse_sampling(field_reader& fields, const request_limits& limits, generate_request& out);
/// max_tokens, min_tokens, stop, stop_token_ids, ignore_eos and how the text is made.
void parse_ending(field_reader& fields, const request_limits& limits, api_shape shape,
                  generate_request& out);
/// n, best_of, logprobs, top_logprobs, prompt_logprobs, echo.
void parse_reports(field_reader& fields, const request_limits& limits, api_shape shape,
                   generate_request& out);
/// model, priority, timeout, cache_salt, user, metadata.
void parse_labels(field_reader& fields, const door_settings& settings, generate_request& out);
/// Fields that would change the answer and are not served: refused rather than ignored.
void refuse_unserved(field_reader& fields);

/// messages, tools and the template's variables; `out` gets one prompt.
void parse_conversation(field_reader& fields, const request_limits& limits,
                        std::vector<prompt_input>& out);
/// tools and tool_choice: the checked definitions as JSON text, empty for none.
std::string parse_tools(field_reader& fields, const request_limits& limits);
/// prompt: text or token ids, one or many.
void parse_prompts(field_reader& fields, const request_limits& limits,
                   std::vector<prompt_input>& out);
/// An array of token ids under `name`; faults are put in `fields`.
token_ids parse_token_ids(field_reader& fields, const std::string& name, const json& array);

} // namespace troupe
