// The options of a verb that has a struct of its own for them, read from its command line: with the
// ranges and in the words of the settings, but from no file and no environment.
#pragma once

#include "app/command_line.hpp"
#include "config/option.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace troupe {

/// The values that `line` gives, the defaults elsewhere. What is wrong is added to `errors`, one
/// line each.
template <class Values>
Values read_options(const std::vector<option_group_of<Values>>& groups, const command_line& line,
                    std::vector<std::string>& errors) {
  constexpr std::size_t longest_shown = 80;
  Values out;
  for (const option_group_of<Values>& group : groups) {
    for (const option_of<Values>& each : group.options) {
      for (const command_line::setting& given : line.settings) {
        if (given.key != each.key()) continue;
        try {
          each.assign(out, read_text(each, given.text));
        } catch (const bad_value& problem) {
          errors.push_back(
              fmt::format("{}: {} {}; it takes {}", given.flag,
                          each.secret ? "(hidden)" : printable_in_quotes(given.text, longest_shown),
                          problem.what(), takes(each)));
        }
      }
    }
  }
  return out;
}

} // namespace troupe
