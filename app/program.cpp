// Each verb in one function: reads its words, gathers the settings, and hands over.
#include "app/program.hpp"

#include "app/command_line.hpp"
#include "app/help.hpp"
#include "app/version.hpp"
#include "config/nearest.hpp"
#include "config/options.hpp"
#include "config/page.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace troupe {
namespace {

using words_list = std::vector<std::string>;
constexpr std::size_t longest_shown = 80;

int refuse(const program& self, const std::vector<std::string>& errors) {
  for (const std::string& line : errors) self.err << line << '\n';
  return exit_usage;
}

/// Shows what --help asks for.
int show_help(const program& self, const verb& which, const std::string& group) {
  if (group.empty()) {
    self.out << verb_help(which);
    return exit_done;
  }
  const std::string text = group_help(which, group);
  if (!text.empty()) {
    self.out << text;
    return exit_done;
  }
  std::string groups;
  for (const shown_group& each : which.groups) groups += " " + each.name;
  if (which.groups.empty())
    return refuse(self, {fmt::format("--help: {} has no groups of options", which.name)});
  return refuse(self, {fmt::format("--help: {} is not a group; there are{}",
                                   printable(group, longest_shown), groups)});
}

/// The file that the command line or else the environment names; empty: none.
std::string file_to_read(const program& self, const std::optional<std::string>& named) {
  if (named) return *named;
  for (const auto& [name, value] : self.variables)
    if (name == file_variable) return value;
  return {};
}

/// Not an option of the verb's own.
bool is_setting(const settings_builder& builder, const std::string& key) {
  const auto& options = builder.options();
  return std::any_of(options.begin(), options.end(),
                     [&](const option& each) { return each.key() == key; });
}

loaded_settings load(const program& self, const command_line& line) {
  settings_builder builder;
  for (const std::string& error : line.errors) builder.refuse(error);
  const auto named = line.value("--config");
  const std::string file = file_to_read(self, named);
  if (named && file.empty()) builder.refuse("--config: names no file");
  if (!file.empty()) read_file(builder, file);
  read_environment(builder, self.variables);
  for (const auto& each : line.settings) {
    if (!is_setting(builder, each.key)) continue;
    builder.set_text(each.key, each.text, {setting_source::command_line, each.flag});
    if (each.key == "model.path" && !line.positionals.empty())
      builder.refuse("MODEL: is given twice, also as " + each.flag);
    if (find_option(builder.options(), each.key).secret)
      builder.warn(each.flag + ": a secret on the command line is visible to every user of this "
                               "machine; use the file or the environment");
  }
  if (!line.positionals.empty())
    builder.set_text("model.path", line.positionals.front(),
                     {setting_source::command_line, "MODEL"});
  return builder.finish();
}

void show_warnings(const program& self, const loaded_settings& loaded) {
  for (const std::string& line : loaded.warnings) self.err << "warning: " << line << '\n';
}

int serve(const program& self, const verb& which, const command_line& line) {
  loaded_settings loaded = load(self, line);
  if (loaded.errors.empty() && loaded.values.model.path.empty())
    loaded.errors.push_back("MODEL: none is given; write " + which.examples.front());
  show_warnings(self, loaded);
  return loaded.errors.empty() ? self.serve(loaded.values) : refuse(self, loaded.errors);
}

int chat(const program& self, const verb& which, const command_line& line) {
  loaded_settings loaded = load(self, line);
  chat_options wanted;
  wanted.url = line.value("--url").value_or("");
  wanted.question = line.value("--question");
  wanted.system = line.value("--system").value_or("");
  wanted.stats = line.value("--stats").has_value();
  if (line.value("--url") && wanted.url.empty()) loaded.errors.push_back("--url: names no server");
  if (!wanted.url.empty() && !line.positionals.empty())
    loaded.errors.push_back(
        "MODEL: is not loaded where --url names a server; leave out one of them");
  if (loaded.errors.empty() && wanted.url.empty() && loaded.values.model.path.empty())
    loaded.errors.push_back("MODEL: none is given, and no --url; write " + which.examples.front());
  for (const char* flag : {"--question", "--system", "--url"})
    if (!is_well_formed_utf8(line.value(flag).value_or("")))
      loaded.errors.push_back(std::string(flag) + ": is not UTF-8");
  show_warnings(self, loaded);
  return loaded.errors.empty() ? self.chat(wanted, loaded.values) : refuse(self, loaded.errors);
}

int bench_serve(const program& self, const command_line& line) {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  const auto wanted = read_bench_serve(line, self.variables, errors, warnings);
  for (const std::string& each : warnings) self.err << "warning: " << each << '\n';
  return errors.empty() ? self.bench_serve(wanted) : refuse(self, errors);
}

int bench_offline(const program& self, const verb& which, const command_line& line) {
  loaded_settings loaded = load(self, line);
  const auto wanted = read_bench_offline(line, loaded.errors);
  if (loaded.errors.empty() && loaded.values.model.path.empty())
    loaded.errors.push_back("MODEL: none is given; write " + which.examples.front());
  show_warnings(self, loaded);
  return loaded.errors.empty() ? self.bench_offline(wanted, loaded.values)
                               : refuse(self, loaded.errors);
}

int config_check(const program& self, const command_line& line) {
  settings_builder builder;
  const std::string file = file_to_read(
      self, line.positionals.empty() ? std::nullopt : std::optional(line.positionals.front()));
  if (!line.positionals.empty() && file.empty()) builder.refuse("FILE: names no file");
  if (!file.empty()) read_file(builder, file);
  read_environment(builder, self.variables);
  const loaded_settings loaded = builder.finish();
  show_warnings(self, loaded);
  if (!loaded.errors.empty()) return refuse(self, loaded.errors);
  std::size_t widest_key = 0;
  std::size_t widest_value = 0;
  for (const effective_value& each : loaded.list) {
    widest_key = std::max(widest_key, each.key.size());
    widest_value = std::max(widest_value, std::min<std::size_t>(each.value.size(), 30));
  }
  for (const effective_value& each : loaded.list)
    self.out << fmt::format("{:<{}}  {:<{}}  {}\n", each.key, widest_key,
                            each.value.empty() ? "-" : each.value, widest_value, each.from.where);
  self.out << loaded.list.size() << " options checked, ok\n";
  return exit_done;
}

/// Hidden: what docs/ is made with.
int docs(const program& self, const words_list& words) {
  if (words == words_list{"configuration"})
    self.out << configuration_page();
  else if (words == words_list{"cli"})
    self.out << cli_page();
  else
    return refuse(self, {"docs: takes configuration or cli"});
  return exit_done;
}

int help(const program& self, const command_line& line) {
  if (line.positionals.empty()) {
    self.out << program_help();
    return exit_done;
  }
  const auto verbs = all_verbs();
  const std::string& name = line.positionals.front();
  std::vector<spelling> names;
  bool found = false;
  for (const verb& each : verbs) {
    // `help config` shows all verbs of config.
    const std::string first = each.name.substr(0, each.name.find(' '));
    names.push_back({first, first});
    names.push_back({each.name, each.name});
    if (each.name != name && first != name) continue;
    self.out << (found ? "\n" : "") << verb_help(each);
    found = true;
  }
  if (found) return exit_done;
  return refuse(self, {fmt::format("help: {} is not a verb{}", printable(name, longest_shown),
                                   suggestion(name, names))});
}

int run_verb(const program& self, const verb& which, const words_list& words) {
  const command_line line = read_command_line(which, words);
  if (line.help) return show_help(self, which, *line.help);
  if (which.name == "serve") return serve(self, which, line);
  if (which.name == "chat") return chat(self, which, line);
  if (which.name == "bench serve") return bench_serve(self, line);
  if (which.name == "bench offline") return bench_offline(self, which, line);
  if (!line.errors.empty()) return refuse(self, line.errors);
  if (which.name == "config check") return config_check(self, line);
  if (which.name == "help") return help(self, line);
  if (which.name == "config print")
    self.out << commented_toml(settings{});
  else
    self.out << (line.value("--json") ? version_json() : version_text());
  return exit_done;
}

/// The verb that `words` begin with, taken off them; nullptr: none.
const verb* take_verb(const std::vector<verb>& verbs, words_list& words) {
  for (const verb& each : verbs) {
    const std::size_t blank = each.name.find(' ');
    const bool two = blank != std::string::npos;
    if (words[0] != each.name.substr(0, blank)) continue;
    if (two && (words.size() < 2 || words[1] != each.name.substr(blank + 1))) continue;
    words.erase(words.begin(), words.begin() + (two ? 2 : 1));
    return &each;
  }
  return nullptr;
}

/// Do some verbs of two words begin with this one?
bool is_family(const std::vector<verb>& verbs, const std::string& word) {
  return std::any_of(verbs.begin(), verbs.end(),
                     [&](const verb& each) { return each.name.starts_with(word + ' '); });
}

int unknown_verb(const program& self, const std::vector<verb>& verbs, const words_list& words) {
  std::vector<spelling> names{{"--help", "help"}, {"--version", "version"}};
  std::string written = words[0];
  if (is_family(verbs, written)) {
    const bool alone = words.size() < 2 || words[1] == "-h" || words[1] == "--help";
    if (alone) return run_program(self, {"help", written});
    written += " " + words[1];
  }
  for (const verb& each : verbs) {
    names.push_back({each.name, each.name});
    names.push_back({each.name.substr(0, each.name.find(' ')), each.name});
  }
  return refuse(self, {fmt::format("troupe: {} is not a verb{}", printable(written, longest_shown),
                                   suggestion(written, names)),
                       "troupe help shows all verbs"});
}

} // namespace

int run_program(const program& self, const std::vector<std::string>& words) {
  if (words.empty()) {
    self.err << short_usage();
    return exit_usage;
  }
  words_list rest = words;
  if (rest[0] == "-h" || rest[0] == "--help") rest[0] = "help";
  if (rest[0] == "--version") rest[0] = "version";
  if (rest[0] == "docs") return docs(self, {rest.begin() + 1, rest.end()});
  const auto verbs = all_verbs();
  // Some verbs are two words.
  if (rest[0] == "help" && rest.size() == 3 && is_family(verbs, rest[1]))
    rest = {"help", rest[1] + " " + rest[2]};
  const verb* which = take_verb(verbs, rest);
  return which == nullptr ? unknown_verb(self, verbs, rest) : run_verb(self, *which, rest);
}

} // namespace troupe
