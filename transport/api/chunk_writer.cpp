#include "transport/api/chunk_writer.hpp"

#include "transport/api/logprobs.hpp"
#include "transport/api/usage.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace troupe {

chunk_writer::chunk_writer(answer_head head, std::size_t choices)
    : head_(std::move(head)),
      prefix_(open_object(head_, head_.shape == api_shape::chat ? "chat.completion.chunk"
                                                                : "text_completion")),
      offsets_(choices) {}

std::string chunk_writer::choice_chunk(std::uint32_t choice, std::string_view middle,
                                       std::string_view reason) const {
  return fmt::format(R"({},"choices":[{{"index":{},{},"finish_reason":{}}}]{}}})", prefix_, choice,
                     middle, reason, head_.include_usage ? R"(,"usage":null)" : "");
}

std::string chunk_writer::role(std::uint32_t choice) const {
  if (head_.shape != api_shape::chat) return {};
  return choice_chunk(choice, R"("delta":{"role":"assistant","content":""},"logprobs":null)",
                      "null");
}

std::string chunk_writer::content(delta&& part) {
  const bool chat = head_.shape == api_shape::chat;
  std::string middle = chat ? R"("delta":{"content":)" : R"("text":)";
  middle += quoted_json(part.text);
  if (chat) middle += '}';
  const reported_tokens prompt{std::move(part.prompt_tokens), std::move(part.prompt_spellings)};
  reported_tokens tokens;
  if (head_.echo_logprobs) tokens = prompt;
  tokens.append(std::move(part.tokens), std::move(part.spellings));
  middle += R"(,"logprobs":)";
  if (!head_.logprobs)
    middle += "null";
  else if (chat)
    middle += to_text(chat_logprobs(tokens));
  else
    middle += to_text(completion_logprobs(tokens, offsets_.at(part.choice)));
  if (head_.prompt_logprobs && !prompt.empty())
    middle += R"(,"prompt_logprobs":)" + to_text(prompt_logprobs(prompt));
  return choice_chunk(part.choice, middle, "null");
}

std::string chunk_writer::finish(const finished& end) const {
  std::string middle = head_.shape == api_shape::chat ? R"("delta":{})" : R"("text":"")";
  middle += R"(,"logprobs":null,"stop_reason":)";
  if (!end.stop_text.empty())
    middle += quoted_json(end.stop_text);
  else if (end.stop_token)
    middle += std::to_string(*end.stop_token);
  else
    middle += "null";
  return choice_chunk(end.choice, middle, fmt::format("\"{}\"", name_of(end.reason)));
}

std::string chunk_writer::usage(const token_usage& total) const {
  return fmt::format(R"({},"choices":[],"usage":{}}})", prefix_, usage_text(total));
}

} // namespace troupe
