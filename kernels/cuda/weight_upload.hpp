// Brings weights to the device as fast as the host can read them: several threads take the next
// piece each, read it into pinned memory of their own and issue its copy, so that reading, checking
// and copying go on at once. A single thread is several times slower than the bus.
#pragma once

#include "kernels/cuda/staging.hpp"

#include <memory>
#include <vector>

namespace troupe::cuda {

class weight_upload {
 public:
  /// What a thread reads at a time.
  static constexpr std::size_t piece_bytes = std::size_t{4} << 20;

  /// With so many threads; 0: as many as there are cores, at most 16.
  explicit weight_upload(cudaStream_t stream, std::size_t threads = 0);

  /// Issues copies of all elements to the device; `from` is not needed when it returns. Throws the
  /// first thing that reading threw, when every thread has stopped.
  void bring(void* device, const host_matrix& from);

 private:
  cudaStream_t stream_;
  std::size_t threads_;
  std::vector<std::unique_ptr<staging>> lanes_; // one for each thread, made when it is needed
};

} // namespace troupe::cuda
