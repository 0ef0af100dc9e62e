// What a client asked for, after its door has checked everything that can be checked without the
// model. Every door builds this one type; nothing behind it sees raw input. Fields left unset take
// the model's own defaults at admission.
#pragma once

#include "model/step.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

/// A conversation, to be rendered by the model's chat template. The strings are JSON that has been
/// parsed and checked.
struct chat_input {
  std::string messages;        ///< array of {role, content, ...}, never empty
  std::string tools;           ///< array of tool definitions, or empty for none
  std::string template_kwargs; ///< object of further template variables, or empty for none
  bool add_generation_prompt = true;
  bool continue_final_message = false; ///< the last message is left open and continued
};

/// One prompt: text, token ids, or a conversation.
using prompt_input = std::variant<std::string, token_ids, chat_input>;

/// One request of a client. It becomes prompts.size() * n sequences; choice i belongs to prompt i /
/// n.
struct generate_request {
  std::string id;    ///< ours, unique, shown to the client
  std::string model; ///< as the client spelled it; empty takes the only one
  std::vector<prompt_input> prompts;
  std::uint32_t n = 1; ///< continuations of each prompt, >= 1

  std::optional<float> temperature;
  std::optional<float> top_p;
  std::optional<std::int32_t> top_k;
  std::optional<float> min_p;
  std::optional<float> repetition_penalty;
  float presence_penalty = 0;
  float frequency_penalty = 0;
  std::optional<std::uint64_t> seed;
  std::vector<std::pair<token_id, float>> logit_bias;
  std::int32_t logprobs = -1;        ///< alternatives for each token; -1 none
  std::int32_t prompt_logprobs = -1; ///< the same for the prompt

  std::optional<std::uint32_t> max_tokens; ///< tokens to generate; unset: to the end of the context
  std::uint32_t min_tokens = 0;
  std::vector<std::string> stop;        ///< generation ends before any of these texts
  std::vector<token_id> stop_token_ids; ///< generation ends with any of these tokens
  bool include_stop = false;            ///< keep the stop string in the text
  bool ignore_eos = false;
  bool skip_special_tokens = true;
  bool add_special_tokens = true; ///< of the tokenizer, around prompts given as text
  bool echo = false;              ///< the prompt's text before the continuation's

  std::int32_t priority = 0; ///< lower runs earlier
  std::chrono::milliseconds
      timeout{};          ///< from arrival to the last token; 0 takes the server's default
  std::string cache_salt; ///< only requests with the same salt share cached prefixes
};

/// A refusal or failure as every door reports it. The texts are ours: never an exception's, never a
/// path.
struct api_error {
  int status = 400;                           ///< of HTTP
  std::string type = "invalid_request_error"; ///< OpenAI's words
  std::string message;
  std::string param;             ///< the field at fault, or empty
  std::string code;              ///< stable word for programs, or empty
  std::uint32_t retry_after = 0; ///< seconds, where trying again makes sense
};

/// Why a continuation ended.
enum class finish_reason : std::uint8_t { stop, length, timeout, cancelled, error };

/// Its name in answers and in metrics.
constexpr std::string_view name_of(finish_reason reason) {
  switch (reason) {
  case finish_reason::stop:
    return "stop";
  case finish_reason::length:
    return "length";
  case finish_reason::timeout:
    return "timeout";
  case finish_reason::cancelled:
    return "abort";
  case finish_reason::error:
    return "error";
  }
  return "error";
}

/// What a continuation cost.
struct token_usage {
  std::uint32_t prompt = 0;
  std::uint32_t cached = 0; ///< of the prompt, found in the prefix cache
  std::uint32_t completion = 0;
};

} // namespace troupe
