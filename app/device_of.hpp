// Which device computes.
#pragma once

#include "config/settings.hpp"
#include "kernels/ops.hpp"

#include <memory>

namespace troupe {

/// Throws std::system_error or device_error where it cannot be had.
std::unique_ptr<backend> device_of(const engine_settings& chosen);

} // namespace troupe
