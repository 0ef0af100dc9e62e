// Small copies between pinned memory and the device by a kernel, which starts behind the one ahead
// of it as any other does: the copy engine takes 5 to 10 µs to be handed a stream and give it back.
#pragma once

#include <cstddef>
#include <cuda_runtime.h>

namespace troupe::cuda {

/// The most bytes that are copied so; what is longer goes to the engine.
constexpr std::size_t small_copy_bytes = 64 << 10;

/// `pinned` is to stay as it is until the copy is done.
void bring_from_pinned(cudaStream_t stream, void* device, const void* pinned, std::size_t bytes);
/// `pinned` has what the kernels ahead left at `device` when the stream has come so far.
void leave_in_pinned(cudaStream_t stream, void* pinned, const void* device, std::size_t bytes);

} // namespace troupe::cuda
