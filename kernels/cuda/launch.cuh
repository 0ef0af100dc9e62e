// Starts kernels one behind the other. Each may be started before the one ahead of it is done, and
// itself waits where it needs its results (programmatic dependent launch): every kernel calls
// ptx::wait_for_previous() before it lets the next one start, before it writes, and before it reads
// what the one right ahead of it writes. What stands two kernels ahead is always done.
#pragma once

#include "kernels/cuda/numbers.cuh"
#include "kernels/cuda/runtime.hpp"

#include <stdexcept>
#include <utility>

namespace troupe::cuda {

/// Blocks, threads and dynamic shared memory of a launch, and how many blocks are a cluster, which
/// only Hopper has.
struct launch_shape {
  dim3 blocks;
  dim3 threads;
  std::size_t shared_bytes = 0;
  unsigned cluster = 1;
};

/// Issues kernel(arguments...); nothing where there are no blocks. Throws device_error where it
/// can't be started.
template <class... Parameters, class... Arguments>
void launch(cudaStream_t stream, const launch_shape& shape, void (*kernel)(Parameters...),
            Arguments&&... arguments) {
  if (shape.blocks.x == 0 || shape.blocks.y == 0) return;
  if (shape.shared_bytes > 48 << 10)
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.shared_bytes)),
          "cudaFuncSetAttribute");
  cudaLaunchAttribute attributes[2]{};
  attributes[0].id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attributes[0].val.programmaticStreamSerializationAllowed = 1;
  attributes[1].id = cudaLaunchAttributeClusterDimension;
  attributes[1].val.clusterDim = {shape.cluster, 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = shape.blocks;
  config.blockDim = shape.threads;
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = stream;
  config.attrs = attributes;
  config.numAttrs = shape.cluster > 1 ? 2 : 1;
  check(cudaLaunchKernelEx(&config, kernel, Parameters(std::forward<Arguments>(arguments))...),
        "cudaLaunchKernel");
}

/// Calls work.operator()<T>() with the element type that `type` means.
template <class Work>
void with_type(dtype type, const Work& work) {
  switch (type) {
  case dtype::bf16:
    return work.template operator()<bf16>();
  case dtype::f16:
    return work.template operator()<f16>();
  case dtype::f32:
    break;
  }
  throw std::invalid_argument("cuda: activations are bf16 or f16");
}

/// Blocks of `size` that hold n things.
inline unsigned pieces(std::int64_t n, std::int64_t size) {
  return static_cast<unsigned>((n + size - 1) / size);
}

} // namespace troupe::cuda
