// The table of verbs.
#include "app/verbs.hpp"

#include "app/bench/offline_options.hpp"
#include "app/bench/serve_options.hpp"
#include "config/options.hpp"

#include <algorithm>
#include <initializer_list>
#include <stdexcept>

namespace troupe {
namespace {

/// Those of `all` that are named, behind `own`.
std::vector<shown_group> with(std::vector<shown_group> own, const std::vector<shown_group>& all,
                              std::initializer_list<std::string_view> named) {
  for (const shown_group& each : all)
    if (std::find(named.begin(), named.end(), each.name) != named.end()) own.push_back(each);
  return own;
}

} // namespace

std::vector<verb> all_verbs() {
  const verb_flag file{"--config", "", "FILE", "read settings from this TOML file"};
  const std::vector<shown_group> settings_groups = shown(option_groups());
  return {
      {"serve",
       "[MODEL]",
       "serve a model over HTTP and WebSocket",
       {file},
       settings_groups,
       {"troupe serve models/tiny", "troupe serve --config troupe.toml --port 8080"}},
      {"chat",
       "[MODEL]",
       "talk to a model here, or to a server",
       {file,
        {"--url", "", "URL", "talk to the server at this address instead of loading MODEL"},
        {"--question", "-q", "QUESTION", "answer this one question and end"},
        {"--system", "", "TEXT", "the system message"},
        {"--stats", "", "", "show tokens and times after each answer"}},
       settings_groups,
       {"troupe chat models/tiny", "troupe chat --url http://127.0.0.1:8000 -q \"Who are you?\""}},
      {"bench serve",
       "",
       "measure a server of OpenAI's API under a load",
       {},
       shown(bench_serve_groups()),
       {"troupe bench serve --concurrency 8 --requests 200 --input 512 --output 128",
        "troupe bench serve --rate 4 --goodput ttft:500,tpot:30 --json result.json",
        "troupe bench serve --trace conversation_trace.jsonl --trace-speed 2"}},
      {"bench offline",
       "[MODEL]",
       "measure an engine alone, against what its device could do",
       {file},
       with(shown(bench_offline_groups()), settings_groups, {"model", "engine", "log"}),
       {"troupe bench offline models/tiny --requests 64 --concurrency 8",
        "troupe bench offline models/tiny --input 1000 --output 1000 --json result.json"}},
      {"config check",
       "[FILE]",
       "show every setting and where it comes from, or all that is wrong",
       {},
       {},
       {"troupe config check troupe.toml"}},
      {"config print",
       "",
       "write a file of settings with all defaults",
       {},
       {},
       {"troupe config print > troupe.toml"}},
      {"version",
       "",
       "show what this program is built from",
       {{"--json", "", "", "as JSON"}},
       {},
       {}},
      {"help", "[VERB]", "show how a verb is used", {}, {}, {}},
  };
}

bool has_settings(const verb& which) {
  return std::any_of(which.groups.begin(), which.groups.end(),
                     [](const shown_group& each) { return each.of_settings; });
}

const verb& find_verb(const std::vector<verb>& verbs, std::string_view name) {
  const auto found =
      std::find_if(verbs.begin(), verbs.end(), [&](const verb& each) { return each.name == name; });
  if (found == verbs.end()) throw std::out_of_range("no verb " + std::string(name));
  return *found;
}

} // namespace troupe
