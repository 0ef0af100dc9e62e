// The doors' own settings from the program's.
#pragma once

#include "config/settings.hpp"
#include "transport/door_settings.hpp"

namespace troupe {

door_settings door_settings_of(const settings& chosen);

} // namespace troupe
