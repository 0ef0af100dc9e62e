// Which device computes.
#pragma once

#include "config/settings.hpp"
#include "kernels/ops.hpp"

#include <memory>

namespace troupe {

/// For a model of this type; a GPU computes in f16 for those of f16 and else in bf16. Throws
/// std::system_error or device_error where the device cannot be had.
std::unique_ptr<backend> device_of(const engine_settings& chosen, dtype model_type);

} // namespace troupe
