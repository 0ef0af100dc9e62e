// A build without an engine says so.
#include "app/chat.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace troupe {

int run_chat(const chat_options& wanted, const settings& chosen) {
  const std::string& partner = wanted.url.empty() ? chosen.model.path : wanted.url;
  fmt::print(stderr, "troupe chat: this build has no engine to talk to {} with\n", partner);
  return 1;
}

} // namespace troupe
