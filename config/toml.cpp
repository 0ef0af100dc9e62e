// A TOML file as settings: [group] sections with the options' names as keys, nothing else. Strict,
// because a setting that is silently not read costs an evening.
#include "config/nearest.hpp"
#include "config/sources.hpp"
#include "config/text.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>

namespace troupe {
namespace {

constexpr std::size_t longest_file = mib;
constexpr std::size_t longest_name = 80;

typed_value to_typed(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* array = node.as_array()) {
    std::vector<std::string> texts;
    for (const toml::node& each : *array) {
      const auto* text = each.as_string();
      if (text == nullptr) return foreign_value{"a list"};
      texts.push_back(text->get());
    }
    return texts;
  }
  return foreign_value{node.is_table() ? "a table" : "a date or time"};
}

class toml_reader {
 public:
  toml_reader(settings_builder& to, const std::string& name) : to_(to), name_(name) {
    for (const option& each : to_.options()) {
      keys_.push_back({each.key(), each.key()});
      keys_.push_back({each.name, each.key()});
      if (groups_.empty() || groups_.back().meant != "[" + each.group + "]")
        groups_.push_back({each.group, "[" + each.group + "]"});
    }
  }

  void read(const toml::table& root) {
    // The parser sorts by name; people read from the top.
    std::vector<entry> entries = entries_of(root);
    std::sort(entries.begin(), entries.end(), [](const entry& a, const entry& b) {
      return a.key->source().begin < b.key->source().begin;
    });
    for (const entry& each : entries) {
      if (each.in_section)
        read_value(each);
      else
        refuse_top(each);
    }
  }

 private:
  struct entry {
    const toml::key* key;
    const toml::node* value;
    std::string name; // "engine.threads", or what stands outside of all sections
    bool in_section;
  };

  std::vector<entry> entries_of(const toml::table& root) const {
    std::vector<entry> entries;
    for (const auto& [key, node] : root) {
      const std::string group(key.str());
      const toml::table* section = node.as_table();
      if (section == nullptr || (section->empty() && !is_group(group)))
        entries.push_back({&key, &node, group, false});
      if (section == nullptr) continue;
      for (const auto& [inner, value] : *section)
        entries.push_back({&inner, &value, group + "." + std::string(inner.str()), true});
    }
    return entries;
  }

  std::string where(const toml::key& key) const {
    return fmt::format("{}:{}:", name_, key.source().begin.line);
  }
  static std::string shown(const std::string& text) { return printable(text, longest_name); }

  bool is_group(const std::string& name) const {
    return std::any_of(groups_.begin(), groups_.end(),
                       [&](const spelling& each) { return each.written == name; });
  }
  bool is_option(const std::string& key) const {
    return std::any_of(to_.options().begin(), to_.options().end(),
                       [&](const option& each) { return each.key() == key; });
  }

  void read_value(const entry& each) {
    if (is_option(each.name))
      to_.set_typed(
          each.name, to_typed(*each.value),
          {setting_source::file, fmt::format("{}:{}", name_, each.key->source().begin.line)});
    else
      refuse_key(each);
  }

  void refuse_top(const entry& each) {
    if (is_group(each.name))
      to_.refuse(fmt::format("{} {} is a group; write it as [{}] with its options below",
                             where(*each.key), each.name, each.name));
    else if (each.value->is_table() || each.value->is_array_of_tables())
      to_.refuse(fmt::format("{} [{}] is not a group{}", where(*each.key), shown(each.name),
                             suggestion(each.name, groups_)));
    else
      refuse_key(each);
  }

  void refuse_key(const entry& each) {
    // An option in a section that does not exist is found by its own name, too.
    std::string hint = suggestion(each.name, keys_);
    if (hint.empty()) hint = suggestion(std::string(each.key->str()), keys_);
    to_.refuse(fmt::format("{} {} is not an option{}", where(*each.key), shown(each.name), hint));
  }

  settings_builder& to_;
  const std::string& name_;
  std::vector<spelling> keys_;
  std::vector<spelling> groups_;
};

/// The parser's words, less its talk of what it was doing; a name given twice in words of ours.
std::string describe(std::string_view problem) {
  constexpr std::string_view twice = "cannot redefine existing";
  if (problem.find(twice) != std::string_view::npos) {
    const std::size_t first = problem.find('\'');
    const std::size_t last = problem.rfind('\'');
    if (first != std::string_view::npos && last > first)
      return printable(problem.substr(first + 1, last - first - 1), longest_name) +
             " is given twice";
  }
  const std::size_t colon = problem.find(": ");
  if (problem.starts_with("Error while parsing") && colon != std::string_view::npos)
    problem.remove_prefix(colon + 2);
  return "not TOML: " + printable(problem, 2 * longest_name);
}

/// The number of the line that holds the first byte that is not UTF-8.
std::optional<std::size_t> broken_line(std::string_view text) {
  std::size_t line = 1;
  while (!text.empty()) {
    const std::size_t length = utf8_character_length(text);
    if (length == 0) return line;
    if (text.front() == '\n') ++line;
    text.remove_prefix(length);
  }
  return std::nullopt;
}

struct closing {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// Throws std::system_error with the reason of the system.
std::string contents(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, closing> file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) throw std::system_error(errno, std::generic_category());
  std::string text(longest_file + 1, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) throw std::system_error(errno, std::generic_category());
  return text;
}

/// Warns of each secret that `to` has from the file `name`.
void warn_of_secrets(settings_builder& to, const std::string& name) {
  const loaded_settings so_far = to.finish();
  for (std::size_t i = 0; i < so_far.list.size(); ++i) {
    const effective_value& each = so_far.list[i];
    if (!to.options()[i].secret || each.from.from != setting_source::file) continue;
    to.warn(fmt::format("{}: {} is a secret, and every user of this machine can read the file; "
                        "run chmod o-r {}",
                        each.from.where, each.key, name));
  }
}

} // namespace

void read_toml(settings_builder& to, std::string_view text, const std::string& name) {
  if (const auto line = broken_line(text)) {
    to.refuse(fmt::format("{}:{}: not UTF-8", name, *line));
    return;
  }
  try {
    const toml::table root = toml::parse(text, std::string_view(name));
    toml_reader(to, name).read(root);
  } catch (const toml::parse_error& problem) {
    to.refuse(fmt::format("{}:{}: {}", name, problem.source().begin.line,
                          describe(problem.description())));
  }
}

void read_file(settings_builder& to, const std::filesystem::path& path) {
  const std::string name = printable(path.string());
  std::error_code unknown;
  const std::filesystem::file_status status = std::filesystem::status(path, unknown);
  try {
    if (std::filesystem::is_directory(status)) {
      to.refuse(name + ": is a directory; name the file in it");
      return;
    }
    const std::string text = contents(path);
    if (text.size() > longest_file) {
      to.refuse(name + ": is longer than 1MiB, which no file of settings is");
      return;
    }
    read_toml(to, text, name);
  } catch (const std::system_error& problem) {
    to.refuse(fmt::format("{}: cannot be read: {}", name, problem.code().message()));
    return;
  }
  const auto others = status.permissions() & std::filesystem::perms::others_read;
  if (others != std::filesystem::perms::none) warn_of_secrets(to, name);
}

} // namespace troupe
