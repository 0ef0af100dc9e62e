// Where settings come from besides the command line: a TOML file and the environment.
#pragma once

#include "config/builder.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

using environment_variables = std::vector<std::pair<std::string, std::string>>;

/// The variable that names the file to read where the command line names none.
inline constexpr std::string_view file_variable = "TROUPE_CONFIG";

/// Reads a file of at most 1 MiB. Whatever is wrong with it becomes errors of `to`; a file that
/// others can read and that holds a secret, a warning.
void read_file(settings_builder& to, const std::filesystem::path& path);

/// The same for text at hand. Origins and errors are "<name>:<line>".
void read_toml(settings_builder& to, std::string_view text, const std::string& name);

/// Reads all TROUPE_* variables; one that is no option is an error. What Kubernetes adds for
/// services whose name begins with troupe (TROUPE_PORT=tcp://…, TROUPE_SERVICE_HOST) is passed
/// over.
void read_environment(settings_builder& to, const environment_variables& variables);

} // namespace troupe
