// What the program can be told to do: one table, from which the command line is read and help and
// documentation written.
#pragma once

#include "config/option.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace troupe {

/// A flag of one verb alone, besides its groups of options.
struct verb_flag {
  std::string name;     ///< "--question"
  std::string shorter;  ///< "-q", or empty
  std::string argument; ///< "QUESTION", or empty for a flag that takes none
  std::string help;
};

/// An option as the command line and help know it, whatever struct it fills.
struct shown_option {
  option_form form;
  std::string standard; ///< its default as text, or empty
};

struct shown_group {
  std::string name;
  std::string help; ///< one line
  std::vector<shown_option> options;
  bool of_settings = false; ///< they can stand in a file and in the environment, too
};

template <class Values>
std::vector<shown_group> shown(const std::vector<option_group_of<Values>>& groups) {
  std::vector<shown_group> out;
  for (const option_group_of<Values>& group : groups) {
    shown_group& made =
        out.emplace_back(shown_group{group.name, group.help, {}, std::is_same_v<Values, settings>});
    for (const option_of<Values>& each : group.options)
      made.options.push_back({each, show(each, each.read(Values{}))});
  }
  return out;
}

struct verb {
  std::string name;        ///< "serve", "config check"
  std::string positionals; ///< "[MODEL]", or empty: takes none
  std::string summary;     ///< what it does, one line
  std::vector<verb_flag> flags;
  std::vector<shown_group> groups; ///< of options
  std::vector<std::string> examples;
};

std::vector<verb> all_verbs();

/// Whether the verb takes settings, and so a file and the environment.
bool has_settings(const verb& which);

/// The verb called `name`. Throws std::out_of_range: for names written in the program.
const verb& find_verb(const std::vector<verb>& verbs, std::string_view name);

} // namespace troupe
