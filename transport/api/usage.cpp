#include "transport/api/usage.hpp"

#include <fmt/format.h>

namespace troupe {

void add_usage(token_usage& total, const token_usage& part, std::uint32_t choice, std::uint32_t n) {
  total.completion += part.completion;
  if (choice % n != 0) return;
  total.prompt += part.prompt;
  total.cached += part.cached;
}

std::string usage_text(const token_usage& usage) {
  const std::uint64_t all = std::uint64_t{usage.prompt} + usage.completion;
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                     R"("prompt_tokens_details":{{"cached_tokens":{}}}}})",
                     usage.prompt, usage.completion, all, usage.cached);
}

std::string_view finish_word(finish_reason reason) {
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

} // namespace troupe
