// What the program can be told to do: one table, from which the command line is read and help and
// documentation written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A flag of one verb alone, besides the options of config/options.hpp.
struct verb_flag {
  std::string name;     ///< "--question"
  std::string shorter;  ///< "-q", or empty
  std::string argument; ///< "QUESTION", or empty for a flag that takes none
  std::string help;
};

struct verb {
  std::string name;        ///< "serve", "config check"
  std::string positionals; ///< "[MODEL]", or empty: takes none
  std::string summary;     ///< what it does, one line
  std::vector<verb_flag> flags;
  bool has_settings = false; ///< takes the options of config/options.hpp
  std::vector<std::string> examples;
};

std::vector<verb> all_verbs();

/// The verb called `name`. Throws std::out_of_range: for names written in the program.
const verb& find_verb(const std::vector<verb>& verbs, std::string_view name);

} // namespace troupe
