// Requests of scripted streams and what each must get.
#pragma once

#include "tests/system/crowd.hpp"
#include "tests/system/test_company.hpp"

#include <gtest/gtest.h>

namespace troupe {

/// A completion in tokens: prompt and seed decide every token of it.
struct scripted_request {
  token_ids prompt;
  std::uint64_t seed = 0;
  std::uint32_t tokens = 16;
  bool stream = true;
  std::uint32_t n = 1;
  std::int32_t logprobs = -1; ///< to make an answer long

  std::string body() const;
  crowd_request over_http() const { return {"/v1/completions", body(), {}, {}, true}; }
};

/// Prompts of 3 to 40 tokens, of which many share their beginnings, and seeds of their own.
std::vector<scripted_request> scripted_requests(std::size_t count, std::uint32_t tokens,
                                                std::uint64_t seed = 1);

/// Is the answer whole, and exactly what the script says?
::testing::AssertionResult is_right(answer& got, const scripted_request& asked,
                                    const test_company& server);

/// So that a test can have a few thousand sockets.
void allow_many_sockets();

} // namespace troupe
