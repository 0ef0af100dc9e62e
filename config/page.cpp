// Both texts come from the table of options, so that neither can say something that the program
// does not do.
#include "config/page.hpp"

#include "config/options.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

namespace troupe {
namespace {

constexpr auto introduction = R"(# Configuration

Everything that can be set, in any of three places. The later in this list wins:

1. the defaults below;
2. a TOML file, named by `--config FILE` or by `TROUPE_CONFIG`; no file is read unless named;
3. the environment, `TROUPE_` and the key in capitals: `TROUPE_ENGINE_MAX_SEQUENCES=64`;
4. the command line of `troupe serve` and `troupe chat`: `--max-sequences 64`.

```toml
[server]
port = 8080
api_keys = ["a-long-random-text"]

[engine]
max_sequences = 64
kv_memory = "4GiB"
```

- **Sizes** are bytes, or a whole number with a unit: `KB`, `MB`, `GB`, `TB` count in thousands, `KiB`, `MiB`, `GiB`,
  `TiB` in 1024s.
- **Durations** always have a unit: `500ms`, `30s`, `2m`, `1h`.
- **Lists** are `["a", "b"]` in a file and `a,b` elsewhere; a flag for a list may be given several times.
- **Switches** are `true` or `false`; on the command line `--name` and `--no-name` do as well.
- Names that do not exist, values of another type or out of range, keys given twice and values that contradict each
  other are refused before anything starts, each with a line that says where it stands. Variables that Kubernetes makes
  for services (`TROUPE_PORT=tcp://…`, `TROUPE_SERVICE_HOST`) are passed over.
- Keep secrets in a file that only the server's user can read, or in the environment: a command line is visible to
  every user of the machine.

`troupe config print` writes a file with all defaults to start from; `troupe config check FILE` shows every value with
where it comes from, or everything that is wrong, and then exits with status 2.
)";

std::string default_of(const option& which) {
  const std::string text = show(which, which.read(settings{}));
  return text.empty() ? "(empty)" : text;
}

std::string comment_of(const option& which) {
  return fmt::format("# {} ({})\n", which.help, takes(which));
}

} // namespace

std::string commented_toml(const settings& values) {
  std::string text = "# Settings of troupe. A line left out keeps its default.\n";
  for (const option_group& group : option_groups()) {
    text += fmt::format("\n# {}\n[{}]\n", group.help, group.name);
    for (const option& each : group.options)
      text += comment_of(each) +
              fmt::format("{} = {}\n", each.name, show_toml(each, each.read(values)));
  }
  return text;
}

std::string configuration_page() {
  std::string page = introduction;
  for (const option_group& group : option_groups()) {
    page += fmt::format("\n## [{}] {}\n\n", group.name, group.help);
    page += "| key | default | takes | flag | variable | meaning |\n|---|---|---|---|---|---|\n";
    for (const option& each : group.options)
      page += fmt::format("| `{}` | {} | {} | `{}` | `{}` | {}{} |\n", each.name, default_of(each),
                          takes(each), each.dashed(), each.variable(), each.help,
                          each.secret ? " (secret)" : "");
  }
  return page;
}

} // namespace troupe
