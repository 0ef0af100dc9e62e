// The options as text to read: a file to start from, and the page of documentation.
#pragma once

#include "config/settings.hpp"

#include <string>

namespace troupe {

/// A TOML file with every option at its value in `values`, each below a comment that says what it
/// is. Secrets included.
std::string commented_toml(const settings& values);

/// docs/configuration.md.
std::string configuration_page();

} // namespace troupe
