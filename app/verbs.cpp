// The table of verbs.
#include "app/verbs.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe {

std::vector<verb> all_verbs() {
  const verb_flag file{"--config", "", "FILE", "read settings from this TOML file"};
  return {
      {"serve",
       "[MODEL]",
       "serve a model over HTTP and WebSocket",
       {file},
       true,
       {"troupe serve models/tiny", "troupe serve --config troupe.toml --port 8080"}},
      {"chat",
       "[MODEL]",
       "talk to a model here, or to a server",
       {file,
        {"--url", "", "URL", "talk to the server at this address instead of loading MODEL"},
        {"--question", "-q", "QUESTION", "answer this one question and end"},
        {"--system", "", "TEXT", "the system message"},
        {"--stats", "", "", "show tokens and times after each answer"}},
       true,
       {"troupe chat models/tiny", "troupe chat --url http://127.0.0.1:8000 -q \"Who are you?\""}},
      {"config check",
       "[FILE]",
       "show every setting and where it comes from, or all that is wrong",
       {},
       false,
       {"troupe config check troupe.toml"}},
      {"config print",
       "",
       "write a file of settings with all defaults",
       {},
       false,
       {"troupe config print > troupe.toml"}},
      {"version",
       "",
       "show what this program is built from",
       {{"--json", "", "", "as JSON"}},
       false,
       {}},
      {"help", "[VERB]", "show how a verb is used", {}, false, {}},
  };
}

const verb& find_verb(const std::vector<verb>& verbs, std::string_view name) {
  const auto found =
      std::find_if(verbs.begin(), verbs.end(), [&](const verb& each) { return each.name == name; });
  if (found == verbs.end()) throw std::out_of_range("no verb " + std::string(name));
  return *found;
}

} // namespace troupe
