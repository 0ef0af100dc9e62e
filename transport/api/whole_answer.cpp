#include "transport/api/whole_answer.hpp"

#include "transport/api/usage.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe {

namespace {

std::size_t cost(const std::vector<token_report>& tokens) {
  std::size_t bytes = 0;
  for (const token_report& token : tokens) bytes += 128 + token.top.size() * 64;
  return bytes;
}

std::string stop_reason(const finished& end) {
  if (!end.stop_text.empty()) return quoted_json(end.stop_text);
  return end.stop_token ? std::to_string(*end.stop_token) : "null";
}

} // namespace

whole_answer::whole_answer(answer_head head, std::size_t choices)
    : head_(std::move(head)), choices_(choices) {}

void whole_answer::add(delta&& part) {
  choice& each = choices_.at(part.choice);
  bytes_ += part.text.size() + cost(part.tokens) + cost(part.prompt_tokens);
  each.text += part.text;
  each.tokens.append(std::move(part.tokens), std::move(part.spellings));
  each.prompt.append(std::move(part.prompt_tokens), std::move(part.prompt_spellings));
}

void whole_answer::add(finished&& end) { choices_.at(end.choice).end = std::move(end); }

std::string whole_answer::write(const choice& each, std::size_t index) const {
  std::string out = fmt::format(R"({{"index":{},)", index);
  std::string logprobs = "null";
  if (head_.shape == api_shape::chat) {
    out += fmt::format(R"("message":{{"role":"assistant","content":{},"refusal":null}})",
                       quoted_json(each.text));
    if (head_.logprobs) logprobs = to_text(chat_logprobs(each.tokens));
  } else {
    out += R"("text":)" + quoted_json(each.text);
    reported_tokens tokens;
    if (head_.echo_logprobs) tokens = each.prompt;
    tokens.append(each.tokens.tokens, each.tokens.spellings);
    std::size_t offset = 0;
    if (head_.logprobs) logprobs = to_text(completion_logprobs(tokens, offset));
  }
  out += fmt::format(R"(,"logprobs":{},"finish_reason":"{}","stop_reason":{})", logprobs,
                     name_of(each.end.reason), stop_reason(each.end));
  if (head_.prompt_logprobs)
    out += R"(,"prompt_logprobs":)" + to_text(prompt_logprobs(each.prompt));
  return out + "}";
}

std::string whole_answer::write(const token_usage& total) const {
  std::string out =
      open_object(head_, head_.shape == api_shape::chat ? "chat.completion" : "text_completion");
  out += R"(,"choices":[)";
  for (std::size_t i = 0; i < choices_.size(); ++i) {
    if (i != 0) out += ',';
    out += write(choices_[i], i);
  }
  return out + R"(],"usage":)" + usage_text(total) + "}";
}

} // namespace troupe
