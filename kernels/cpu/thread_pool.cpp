// Chunks are taken from one atomic word that holds the job's number and how many are left, so a
// worker that wakes late finds another number or none left and touches nothing of a job that ended.
#include "kernels/cpu/thread_pool.hpp"

#include <algorithm>
#include <pthread.h>
#include <sched.h>
#include <system_error>

namespace troupe {

namespace {

constexpr std::int64_t chunks_per_thread = 8;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

void pin_to(std::thread& thread, int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (const int error = pthread_setaffinity_np(thread.native_handle(), sizeof set, &set))
    throw std::system_error(error, std::generic_category(), "pthread_setaffinity_np");
}

/// Polls `done` for `span`; whether it came true.
template <class F>
bool spin_until(std::chrono::microseconds span, F&& done) {
  const auto end = std::chrono::steady_clock::now() + span;
  do {
    for (int i = 0; i < 16; ++i) {
      if (done()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return done();
}

} // namespace

thread_pool::thread_pool(const options& options) : spin_(options.spin) {
  const auto cores = allowed_cores();
  const std::size_t threads =
      options.threads > 0 ? static_cast<std::size_t>(options.threads) : cores.size();
  workers_.reserve(threads - 1);
  try {
    for (std::size_t i = 1; i < threads; ++i) {
      workers_.emplace_back([this] { work(); });
      if (options.pin) pin_to(workers_.back(), cores[i % cores.size()]);
    }
  } catch (...) {
    stopping_ = true;
    jobs_.fetch_add(1);
    jobs_.notify_all();
    for (auto& worker : workers_) worker.join();
    throw;
  }
}

thread_pool::~thread_pool() {
  stopping_ = true;
  jobs_.fetch_add(1);
  jobs_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void thread_pool::run(std::int64_t count, std::int64_t grain, void* self, call f) {
  if (count <= 0) return;
  const std::int64_t parts = chunks_per_thread * size();
  grain = std::max({grain, std::int64_t{1}, (count + parts - 1) / parts});
  if (workers_.empty() || count <= grain || busy_.exchange(true, std::memory_order_acquire)) {
    f(self, 0, count);
    return;
  }
  const std::int64_t chunks = (count + grain - 1) / grain;
  self_ = self;
  call_ = f;
  count_ = count;
  grain_ = grain;
  undone_.store(static_cast<std::uint32_t>(chunks), std::memory_order_relaxed);
  const std::uint64_t job = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
  ticket_.store(job << 32 | static_cast<std::uint64_t>(chunks), std::memory_order_release);
  jobs_.fetch_add(1);
  jobs_.notify_all();
  take_part();
  const auto done = [&] { return undone_.load(std::memory_order_acquire) == 0; };
  if (!spin_until(spin_, done))
    for (auto left = undone_.load(std::memory_order_acquire); left != 0;
         left = undone_.load(std::memory_order_acquire))
      undone_.wait(left, std::memory_order_acquire);
  std::exception_ptr error;
  if (failed_.load(std::memory_order_relaxed)) {
    std::swap(error, error_);
    failed_.store(false, std::memory_order_relaxed);
  }
  busy_.store(false, std::memory_order_release);
  if (error) std::rethrow_exception(error);
}

void thread_pool::take_part() {
  std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while ((ticket & 0xFFFFFFFF) != 0) {
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel,
                                       std::memory_order_acquire))
      continue;
    const std::int64_t chunks = (count_ + grain_ - 1) / grain_;
    run_chunk(chunks - static_cast<std::int64_t>(ticket & 0xFFFFFFFF));
    if (undone_.fetch_sub(1, std::memory_order_acq_rel) == 1) undone_.notify_one();
    ticket = ticket_.load(std::memory_order_acquire);
  }
}

void thread_pool::run_chunk(std::int64_t chunk) {
  try {
    call_(self_, chunk * grain_, std::min(count_, (chunk + 1) * grain_));
  } catch (...) {
    // The counter of undone chunks publishes error_ to the caller.
    if (!failed_.exchange(true, std::memory_order_acq_rel)) error_ = std::current_exception();
  }
}

bool thread_pool::await_job(std::uint32_t seen) {
  const auto changed = [&] { return jobs_.load(std::memory_order_acquire) != seen; };
  if (!spin_until(spin_, changed)) jobs_.wait(seen, std::memory_order_acquire);
  return !stopping_;
}

void thread_pool::work() {
  std::uint32_t seen = 0;
  while (await_job(seen)) {
    seen = jobs_.load(std::memory_order_acquire);
    take_part();
  }
}

} // namespace troupe
