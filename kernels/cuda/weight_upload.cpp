#include "kernels/cuda/weight_upload.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace troupe::cuda {

namespace {

constexpr std::size_t most_threads = 16;

/// The pieces that nobody has taken yet, and the first problem that a thread had.
class remaining_pieces {
 public:
  explicit remaining_pieces(std::size_t count) : count_(count) {}

  /// Calls work(piece) until none is left or one failed.
  template <class Work>
  void carry_out(const Work& work) {
    try {
      for (std::size_t piece = next_++; piece < count_; piece = next_++) work(piece);
    } catch (...) {
      next_ = count_;
      const std::scoped_lock lock(guard_);
      if (!problem_) problem_ = std::current_exception();
    }
  }
  /// When all threads have ended.
  void rethrow() const {
    if (problem_) std::rethrow_exception(problem_);
  }

 private:
  const std::size_t count_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex guard_;
  std::exception_ptr problem_;
};

} // namespace

weight_upload::weight_upload(cudaStream_t stream, std::size_t threads)
    : stream_(stream),
      threads_(threads > 0 ? threads
                           : std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                                     most_threads)) {}

void weight_upload::bring(void* device, const host_matrix& from) {
  const std::size_t bytes = from.bytes();
  const std::size_t count = (bytes + piece_bytes - 1) / piece_bytes;
  const std::size_t threads = std::min(threads_, count);
  while (lanes_.size() < threads) lanes_.push_back(std::make_unique<staging>(stream_, piece_bytes));
  remaining_pieces pieces(count);
  const auto work = [&](staging& lane) {
    pieces.carry_out([&](std::size_t piece) {
      const std::size_t at = piece * piece_bytes;
      lane.bring(static_cast<std::byte*>(device) + at, from, at, std::min(piece_bytes, bytes - at));
    });
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work, std::ref(*lanes_[i]));
    if (threads > 0) work(*lanes_[0]);
  }
  pieces.rethrow();
}

} // namespace troupe::cuda
