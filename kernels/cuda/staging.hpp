// Uploads that do not wait: what goes to the device is copied or read into pinned memory first,
// whose halves take turns. Who comes round before the device has read a half waits for it.
#pragma once

#include "kernels/cuda/runtime.hpp"

#include <array>

namespace troupe::cuda {

class staging {
 public:
  explicit staging(cudaStream_t stream, std::size_t half_bytes = std::size_t{16} << 20);

  /// Issues a copy of `bytes` to the device; `host` may be changed when it returns.
  void upload(void* device, const void* host, std::size_t bytes) {
    bring(device, {host, dtype::f32, 1, 0}, 0, bytes);
  }
  /// Issues copies of the `bytes` of `from` that begin at `offset`; `from` is not needed when it
  /// returns. Throws what reading throws: then some of them are issued.
  void bring(void* device, const host_matrix& from, std::uint64_t offset, std::size_t bytes);

 private:
  void turn();

  cudaStream_t stream_;
  std::size_t half_bytes_;
  memory pinned_;
  std::array<owned_event, 2> read_; // the device has read the half
  std::size_t half_ = 0;
  std::size_t used_ = 0; // of the half
};

} // namespace troupe::cuda
