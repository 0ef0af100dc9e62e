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

} // namespace troupe
