// What the machine can do at most: the roof that the kernels' speeds are held against.
#pragma once

#include "kernels/cpu/thread_pool.hpp"

namespace troupe {

/// Floating point operations a second (two for each fused multiply-add) of all threads together,
/// from registers.
double measure_flops(thread_pool& pool);

/// Bytes a second that all threads together read from memory, and of a copy, read and written.
double measure_read(thread_pool& pool);
double measure_copy(thread_pool& pool);

} // namespace troupe
