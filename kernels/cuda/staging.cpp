#include "kernels/cuda/staging.hpp"

#include "kernels/cuda/pinned_copies.hpp"

#include <algorithm>

namespace troupe::cuda {

staging::staging(cudaStream_t stream, std::size_t half_bytes)
    : stream_(stream), half_bytes_(half_bytes),
      pinned_(allocate_pinned(2 * half_bytes)), read_{make_event(), make_event()} {
  for (const auto& event : read_) check(cudaEventRecord(event.get(), stream_), "cudaEventRecord");
}

void staging::turn() {
  check(cudaEventRecord(read_[half_].get(), stream_), "cudaEventRecord");
  half_ = 1 - half_;
  used_ = 0;
  check(cudaEventSynchronize(read_[half_].get()), "cudaEventSynchronize");
}

void staging::bring(void* device, const host_matrix& from, std::uint64_t offset,
                    std::size_t bytes) {
  constexpr std::size_t alignment = 256;
  for (std::size_t done = 0; done < bytes;) {
    if (used_ == half_bytes_) turn();
    const std::size_t part = std::min(bytes - done, half_bytes_ - used_);
    std::byte* const through = pinned_.get() + half_ * half_bytes_ + used_;
    from.copy_to({through, part}, offset + done);
    bring_from_pinned(stream_, static_cast<std::byte*>(device) + done, through, part);
    used_ = std::min(half_bytes_, (used_ + part + alignment - 1) / alignment * alignment);
    done += part;
  }
}

} // namespace troupe::cuda
