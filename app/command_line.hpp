// The words after a verb, taken apart. Values are kept as text: config/builder.hpp reads those of
// options, so that a wrong one is refused in the same words as anywhere else.
#pragma once

#include "app/verbs.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

struct command_line {
  struct setting {
    std::string key;  ///< "server.port"
    std::string flag; ///< as written: "--port", "--no-prefix-cache"
    std::string text;
  };

  std::optional<std::string> help; ///< asked for; the group, or empty for all
  std::vector<std::string> positionals;
  std::vector<std::pair<std::string, std::string>> flags; ///< of the verb: "--url" and its value
  std::vector<setting> settings;
  std::vector<std::string> errors; ///< one line each

  /// The value of the verb's flag, or nothing; of a flag without argument "true".
  std::optional<std::string> value(std::string_view flag) const;
};

/// Reads what follows `which`. Unknown flags, words too many and flags given twice become errors.
command_line read_command_line(const verb& which, const std::vector<std::string>& words);

} // namespace troupe
