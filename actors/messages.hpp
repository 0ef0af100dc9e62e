// Every message between actors, in the order in which a request meets them. Messages are values;
// what is large or shared travels as a shared_ptr to const. A message is named by its verb or by
// what has happened. All of these stay inside one process: they hold handles and floats, which CAF
// 0.17.6 cannot carry across a node.
#pragma once

#include "actors/request.hpp"
#include "model/step.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

using clock_time = std::chrono::steady_clock::time_point;
using request_ptr = std::shared_ptr<const generate_request>;

/// A session's own number for a request under way; answers carry it back. Unique within the
/// session's companion.
using request_tag = std::uint64_t;

// From a session to admission, and what comes back to the session's companion (`client`).

/// Run this request. Answered by one `accepted` and a `finished` for each choice, or by one
/// `refused`.
struct submit {
  request_ptr request;
  caf::actor client;
  request_tag tag = 0;
  clock_time arrival;
};
/// The request was refused; nothing of it runs and nothing more comes.
struct refused {
  request_tag tag = 0;
  api_error error;
};
/// The request runs. One stream a choice, in order: they take `more`, and `abandon` where the
/// client cancels.
struct accepted {
  request_tag tag = 0;
  std::vector<caf::actor> streams;
};
/// How a reported token and its alternatives are spelled: raw bytes, which need not be UTF-8 by
/// themselves. Beside a token_report, since only the front knows the vocabulary's spellings.
struct token_spelling {
  std::string bytes;
  std::vector<std::string> top; ///< one for each of the report's alternatives, in its order
};
/// More of a choice. Texts join to the whole, without a gap; characters are never split.
struct delta {
  request_tag tag = 0;
  std::uint32_t choice = 0;
  std::string text;
  std::vector<token_report>
      tokens; ///< the generated tokens behind the text, where logprobs were asked
  std::vector<token_spelling> spellings; ///< one for each of tokens
  std::vector<token_report>
      prompt_tokens; ///< with the first delta, where prompt_logprobs were asked
  std::vector<token_spelling> prompt_spellings; ///< one for each of prompt_tokens
  std::uint32_t token_count = 0;                ///< generated tokens that this delta accounts for
};
/// The end of a choice; exactly one, after all its deltas.
struct finished {
  request_tag tag = 0;
  std::uint32_t choice = 0;
  finish_reason reason = finish_reason::stop;
  std::string stop_text; ///< the stop string that matched, or empty
  std::optional<token_id>
      stop_token;  ///< the stop token that ended it, where it was one of stop_token_ids
  api_error error; ///< with reason error or timeout
  token_usage usage;
};
/// Credit from the session to a stream: this many more deltas may be sent. While it is used up,
/// deltas merge.
struct more {
  std::uint32_t deltas = 1;
};
/// The client no longer wants this choice.
struct abandon {};

/// Text to tokens and back, outside of any generation. Answered by `tokenized` or `refused`.
struct tokenize {
  caf::actor client;
  request_tag tag = 0;
  prompt_input prompt;
  bool add_special_tokens = true;
};
struct detokenize {
  caf::actor client;
  request_tag tag = 0;
  token_ids ids;
};
struct tokenized {
  request_tag tag = 0;
  token_ids ids;
  std::vector<std::string> spellings; ///< one a token
  std::string text;                   ///< of detokenize; of tokenize the prompt as it was rendered
  std::uint32_t max_context = 0;
};

/// What is served. Answered by `model_description`, or by `refused` while the model is not loaded.
struct describe_model {
  caf::actor client;
  request_tag tag = 0;
};
struct model_description {
  request_tag tag = 0;
  std::string id;
  std::int64_t created = 0; ///< Unix seconds
  std::uint32_t max_context = 0;
  std::uint32_t vocabulary = 0;
};

/// Is the process well? Answered by `health`.
struct check_health {
  caf::actor client;
  request_tag tag = 0;
};
enum class server_state : std::uint8_t { loading, ready, recovering, stalled, draining, failed };
struct health {
  request_tag tag = 0;
  server_state state = server_state::loading;
  std::string stage;       ///< while loading: of what
  double fraction = 0;     ///< while loading: how much of it, 0 to 1
  std::uint64_t bytes = 0; ///< while loading: done
  std::uint64_t total_bytes = 0;
  std::string reason; ///< where not ready: why, in words for an operator
};

/// The metrics in Prometheus' text format. Answered by `metrics_text`.
struct scrape {
  caf::actor client;
  request_tag tag = 0;
};
struct metrics_text {
  request_tag tag = 0;
  std::string text;
};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::submit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::refused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::accepted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::delta)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::finished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::more)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::abandon)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::tokenize)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::detokenize)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::tokenized)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::describe_model)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::model_description)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::check_health)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::health)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::scrape)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::metrics_text)
