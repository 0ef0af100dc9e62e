// Settings put together from several sources. Every value goes through set_text() or set_typed(),
// whatever it comes from, so that precedence, checks and wording are the same everywhere; what is
// wrong is collected, not thrown, so that one run shows all of it.
#pragma once

#include "config/option.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// In order of precedence: the later wins.
enum class setting_source { standard, file, environment, command_line };

/// Where a value comes from. `where` is what a person looks for: "troupe.toml:12",
/// "TROUPE_SERVER_PORT", "--port".
struct setting_origin {
  setting_source from = setting_source::standard;
  std::string where = "default";
};

struct effective_value {
  std::string key;
  std::string value; ///< as on the command line; secrets hidden
  setting_origin from;
};

struct loaded_settings {
  settings values;
  std::vector<effective_value> list; ///< every option, in the table's order
  std::vector<std::string>
      errors; ///< one line each; with any of them the values are not to be used
  std::vector<std::string> warnings;
};

class settings_builder {
 public:
  settings_builder();

  const std::vector<option>& options() const { return options_; }

  /// Reads, checks and keeps a value, unless a source of higher precedence has set the option. A
  /// wrong value becomes an error. `key` must be one of options().
  void set_text(std::string_view key, std::string_view text, const setting_origin& from);
  void set_typed(std::string_view key, const typed_value& value, const setting_origin& from);

  /// Adds an error or a warning: one line that begins with where it was found.
  void refuse(std::string line) { errors_.push_back(std::move(line)); }
  void warn(std::string line) { warnings_.push_back(std::move(line)); }

  /// The settings so far, after the checks of values against each other.
  loaded_settings finish() const;

 private:
  struct slot {
    setting_origin from;
    bool refused = false; // a value of its was wrong: nothing is concluded from the one it has
  };

  slot& slot_of(const option& which);
  void keep(const option& which, const option_value& value, const setting_origin& from);
  void refuse_value(const option& which, std::string_view shown, std::string_view problem,
                    const setting_origin& from);

  std::vector<option> options_;
  std::vector<slot> slots_; // one for each option
  settings values_;
  std::vector<std::string> errors_;
  std::vector<std::string> warnings_;
};

} // namespace troupe
