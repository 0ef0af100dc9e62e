// The doors' own settings from the program's.
#pragma once

#include "config/settings.hpp"
#include "transport/door_settings.hpp"

#include <string>

namespace troupe {

/// The id that clients use: the one that was set, else the folder's name.
std::string model_name(const model_settings& chosen);

door_settings door_settings_of(const settings& chosen);

} // namespace troupe
