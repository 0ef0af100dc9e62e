// A look at raw weights: are they numbers.
#pragma once

#include "kernels/tensor.hpp"

#include <cstddef>
#include <span>

namespace troupe {

/// Whether no element is NaN or infinite.
bool all_finite(std::span<const std::byte> elements, dtype type);

/// Whether every element is zero (of either sign).
bool all_zero(std::span<const std::byte> elements, dtype type);

} // namespace troupe
