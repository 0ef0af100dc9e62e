#include "tests/system/requests.hpp"

#include <nlohmann/json.hpp>

#include <random>
#include <sys/resource.h>

namespace troupe {

std::string scripted_request::body() const {
  nlohmann::json out = {{"prompt", prompt}, {"seed", seed},       {"max_tokens", tokens},
                        {"stream", stream}, {"ignore_eos", true}, {"n", n}};
  if (logprobs >= 0) out["logprobs"] = logprobs;
  if (stream) out["stream_options"] = {{"include_usage", true}};
  return out.dump();
}

std::vector<scripted_request> scripted_requests(std::size_t count, std::uint32_t tokens,
                                                std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<scripted_request> out;
  for (std::size_t i = 0; i < count; ++i) {
    token_ids prompt(3 + random() % 38);
    std::mt19937_64 shared(random() % 8); // one of eight beginnings
    for (auto& id : prompt) id = static_cast<token_id>(shared() % 4000);
    prompt.back() = static_cast<token_id>(random() % 4000);
    out.push_back({prompt, seed * 1'000'000 + 100 * i, tokens});
  }
  return out;
}

::testing::AssertionResult is_right(answer& got, const scripted_request& asked,
                                    const test_company& server) {
  const auto wrong = [&](const std::string& what) {
    return ::testing::AssertionFailure()
           << what << " (seed " << asked.seed << ", status " << got.status << ", error \""
           << got.error << "\", " << got.completion_tokens << " of " << asked.tokens
           << " tokens, reason " << got.finish_reason() << ")";
  };
  if (!got.fault.empty()) return wrong(got.fault);
  if (got.status != 200 || !got.done || !got.ended) return wrong("the answer is not whole");
  if (got.completion_tokens != asked.n * asked.tokens) return wrong("another number of tokens");
  if (got.prompt_tokens != asked.prompt.size()) return wrong("another number of prompt tokens");
  if (got.texts.size() != asked.n) return wrong("another number of choices");
  for (std::uint32_t choice = 0; choice < asked.n; ++choice) {
    if (got.finish_reasons[choice] != "length") return wrong("another end");
    if (got.texts[choice] != server.text(asked.prompt, asked.seed + choice, asked.tokens))
      return wrong("another text");
  }
  return ::testing::AssertionSuccess();
}

void allow_many_sockets() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace troupe
