// Help made from the tables of verbs and of options.
#include "app/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace troupe {
namespace {

constexpr std::size_t width = 100;
constexpr std::size_t column = 32; // where explanations begin

/// `left`, and from the column on `right`, broken between words.
std::string two_columns(const std::string& left, std::string_view right) {
  std::string text = "  " + left;
  std::size_t at = text.size();
  const auto to_column = [&] {
    if (at + 2 > column) {
      text += '\n';
      at = 0;
    }
    text.append(column - at, ' ');
    at = column;
  };
  to_column();
  bool first = true;
  while (!right.empty()) {
    const std::string_view word = right.substr(0, right.find(' '));
    right.remove_prefix(std::min(right.size(), word.size() + 1));
    if (!first && at + 1 + word.size() > width) {
      text += '\n';
      at = 0;
      to_column();
      first = true;
    }
    if (!first) text += ' ';
    text += word;
    at += word.size() + (first ? 0 : 1);
    first = false;
  }
  return text + '\n';
}

std::string placeholder(const option_form& which) {
  if (!which.argument.empty()) return " " + which.argument;
  switch (which.kind) {
  case option_kind::text:
    return " TEXT";
  case option_kind::texts:
    return " A,B";
  case option_kind::count:
    return " N";
  case option_kind::size:
    return " SIZE";
  case option_kind::duration:
    return " TIME";
  case option_kind::fraction:
    return " X";
  case option_kind::choice:
    return " CHOICE";
  case option_kind::boolean:
    return "";
  }
  return "";
}

std::string written(const option_form& which) {
  const bool is_switch = which.kind == option_kind::boolean;
  return (is_switch ? "--[no-]" + which.flag : which.dashed()) + placeholder(which);
}

std::string option_line(const shown_option& which) {
  return two_columns(written(which.form),
                     which.form.help + (which.standard.empty() ? "" : " [" + which.standard + "]"));
}

std::string usage_of(const verb& which) {
  return fmt::format("troupe {}{}{}", which.name,
                     which.positionals.empty() ? "" : " " + which.positionals,
                     which.flags.empty() && which.groups.empty() ? "" : " [FLAGS]");
}

std::string flag_lines(const verb& which) {
  std::string text;
  for (const verb_flag& each : which.flags)
    text += two_columns((each.shorter.empty() ? "" : each.shorter + ", ") + each.name +
                            (each.argument.empty() ? "" : " " + each.argument),
                        each.help);
  if (which.groups.empty()) return text + two_columns("-h, --help", "this text");
  return text + two_columns("-h, --help[=GROUP]",
                            has_settings(which)
                                ? "this text; or ranges and other names of one group's options"
                                : "this text; or ranges of one group's options");
}

constexpr auto exit_statuses = "0 done, 1 failed while running, 2 wrong usage or settings";

} // namespace

std::string short_usage() {
  return "Troupe serves large language models.\n\n"
         "  troupe serve MODEL          serve a model at http://127.0.0.1:8000\n"
         "  troupe chat MODEL           talk to it here, in the terminal\n"
         "  troupe config check FILE    see what is set, and from where\n\n"
         "MODEL is a Hugging Face folder. troupe help shows everything else.\n";
}

std::string program_help() {
  std::string text = "Troupe serves large language models.\n\nusage: troupe VERB ...\n\n";
  for (const verb& each : all_verbs())
    text += two_columns(each.name + (each.positionals.empty() ? "" : " " + each.positionals),
                        each.summary);
  return text +
         fmt::format("\ntroupe VERB --help tells more of each.\nExit status: {}.\n", exit_statuses);
}

std::string verb_help(const verb& which) {
  std::string text =
      fmt::format("troupe {}: {}\n\nusage: {}\n", which.name, which.summary, usage_of(which));
  for (const std::string& example : which.examples) text += "example: " + example + "\n";
  text += "\n" + flag_lines(which);
  for (const shown_group& group : which.groups) {
    text += fmt::format("\n{}: {}\n", group.name, group.help);
    for (const shown_option& each : group.options) text += option_line(each);
  }
  if (which.groups.empty()) return text;
  text += "\nDefaults stand in brackets.";
  if (has_settings(which))
    text += " The command line wins over TROUPE_* variables, those over the file.";
  return text + '\n';
}

std::string group_help(const verb& which, const std::string& name) {
  for (const shown_group& group : which.groups) {
    if (group.name != name) continue;
    std::string text = fmt::format("{}: {}\n", group.name, group.help);
    for (const auto& [form, standard] : group.options) {
      text += "\n" + two_columns(written(form), form.help);
      text += two_columns("", fmt::format("takes {}; default {}", takes(form),
                                          standard.empty() ? "empty" : standard));
      if (group.of_settings)
        text += two_columns("", fmt::format("{}, {}", form.key(), form.variable()));
    }
    return text;
  }
  return {};
}

std::string cli_page() {
  std::string page =
      "# Command line\n\nThe program `troupe` is told what to do by a verb. Exit status: " +
      std::string(exit_statuses) + ".\n\n```\n" + program_help() + "```\n";
  for (const verb& each : all_verbs())
    page += fmt::format("\n## troupe {}\n\n```\n{}```\n", each.name, verb_help(each));
  return page + "\nRanges, defaults and the other names of every option: "
                "[configuration.md](configuration.md).\n";
}

} // namespace troupe
