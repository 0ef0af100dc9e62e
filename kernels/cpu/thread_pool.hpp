// The threads that share the work of one op. A parallel region must cost about a microsecond, since
// a small model's step has a hundred of them: workers spin for a moment before they sleep, and the
// caller waits for the chunks that somebody took, never for a worker that did not wake in time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <thread>
#include <type_traits>
#include <vector>

namespace troupe {

class thread_pool {
 public:
  struct options {
    int threads = 0;  ///< with the caller; 0: as many as the process has cores
    bool pin = false; ///< each worker keeps to one core of the process's set, not to the first
    std::chrono::microseconds spin{20}; ///< how long an idle worker looks for work before it sleeps
  };

  /// Throws std::system_error when a thread cannot be started or pinned.
  explicit thread_pool(const options& options);
  ~thread_pool();
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  /// Threads that take part, the caller included.
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls f(begin, end) for ranges that cover 0 .. count, each of at least `grain` but the last,
  /// on any thread and in any order; returns when all are done. The first exception of an f is
  /// thrown again here, after the others have finished. Work of one grain, and calls while another
  /// call is under way (nested ones above all), run on the calling thread alone.
  template <class F>
  void parallel_for(std::int64_t count, std::int64_t grain, F&& f) {
    using function = std::remove_reference_t<F>;
    run(count, grain, const_cast<void*>(static_cast<const void*>(&f)),
        [](void* self, std::int64_t begin, std::int64_t end) {
          (*static_cast<function*>(self))(begin, end);
        });
  }

 private:
  using call = void (*)(void*, std::int64_t, std::int64_t);

  void run(std::int64_t count, std::int64_t grain, void* self, call f);
  /// Takes chunks of the job until none is left.
  void take_part();
  void run_chunk(std::int64_t chunk);
  void work();
  /// Waits for `job` to leave `seen`; false when the pool ends.
  bool await_job(std::uint32_t seen);

  std::vector<std::thread> workers_;
  std::chrono::microseconds spin_;
  std::atomic<bool> busy_{false};
  std::atomic<bool> stopping_{false};

  // A job's fields are written before ticket_ announces it and read only after a chunk of it was
  // taken, which keeps it alive.
  void* self_ = nullptr;
  call call_ = nullptr;
  std::int64_t count_ = 0;
  std::int64_t grain_ = 0;
  std::exception_ptr error_;
  std::atomic<bool> failed_{false};

  alignas(64) std::atomic<std::uint64_t> ticket_{0}; // job number << 32 | chunks not yet taken
  alignas(64) std::atomic<std::uint32_t> undone_{0}; // chunks not yet finished
  alignas(64) std::atomic<std::uint32_t> jobs_{0};   // what sleeping workers wait on
};

} // namespace troupe
