// What this program is built from.
#pragma once

#include <string>

namespace troupe {

/// A few lines for people: name and version first.
std::string version_text();

/// One JSON object in one line: name, version, compiler, build_type, features, libraries.
std::string version_json();

} // namespace troupe
