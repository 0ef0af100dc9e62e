// A conversation on the terminal, with a model loaded here or a server elsewhere.
#pragma once

#include "config/settings.hpp"

#include <optional>
#include <string>

namespace troupe {

struct chat_options {
  std::string url; ///< of the server to talk to; empty: load settings.model.path here.
  std::optional<std::string> question; ///< answer this one and end.
  std::string system;                  ///< the system message; empty: none.
  bool stats = false;                  ///< show tokens and times after each answer.
  bool operator==(const chat_options&) const = default;
};

/// Returns the exit status: 0 after the conversation's end, 1 after a failure.
int run_chat(const chat_options& wanted, const settings& chosen);

} // namespace troupe
