// Runs one block of a kernel: a fiber for each thread, one after the other on this OS thread.
// A thread runs until it waits at a barrier; who runs next is drawn at random. Barriers count the
// threads that have not returned, as the hardware's do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace simt {

constexpr unsigned warp_size = 32;

struct index3 {
  unsigned x = 0, y = 0, z = 0;
};

/// What warp collectives exchange; a lane's deposit is at its own number.
using deposits = std::array<std::array<std::byte, 64>, warp_size>;

class block {
 public:
  /// `kernel` is called once for each of `threads` threads. Throws what a thread throws, and
  /// std::logic_error where threads wait for each other for ever.
  static void run(const std::function<void()>& kernel, index3 grid, index3 at, index3 threads,
                  std::size_t shared_bytes, std::uint32_t seed);

  /// The block whose thread is running.
  static block& current();

  /// All threads of the block, or `threads` of them at the barrier `id`.
  void sync(unsigned id = 0, unsigned threads = 0);
  /// Counts at a barrier without waiting there.
  void arrive(unsigned id, unsigned threads);
  /// Waits until something is so; `what` says what for.
  void wait_until(const std::function<bool()>& so, const char* what);
  /// The threads of this warp that are in `mask`.
  void sync_warp(std::uint32_t mask);

  /// Leaves `bytes` for the other lanes, waits for them, and gives what all left. Valid until the
  /// thread's next collective.
  const deposits& exchange(std::uint32_t mask, const void* value, std::size_t bytes);

  unsigned thread() const { return running_; }
  unsigned lane() const { return running_ % warp_size; }
  std::byte* shared() { return shared_.data(); }

  /// Work put off until the thread waits for it. Copies and products stand in a line each.
  enum line : std::size_t { copies, products };
  void later(std::function<void()> work, line in = copies);
  void commit_later(line in = copies);
  /// Does all but the last `pending` committed groups.
  void settle_later(unsigned pending, line in = copies);

  /// Work that is done at any time from now on.
  void in_background(std::function<void()> work);

  ~block();

 private:
  struct fiber;
  struct barrier {
    unsigned arrived = 0;
    std::uint64_t generation = 0;
  };
  /// The lanes of a warp that work together.
  struct team {
    barrier gate;
    std::array<deposits, 2> left; // of even and of odd generations
  };

  block(const std::function<void()>& kernel, index3 threads, std::size_t shared_bytes,
        std::uint32_t seed);
  void run_all();
  void resume(unsigned thread);
  void pause();
  void wait_at(barrier& gate, unsigned expected, const char* what);
  void open(barrier& gate);
  void returned();
  void do_in_background();
  team& team_of(std::uint32_t mask);
  unsigned alive_in_team(std::uint32_t mask) const;
  [[noreturn]] void stuck() const;
  static void enter();

  const std::function<void()>& kernel_;
  index3 threads_;
  std::vector<std::byte> shared_;
  std::mt19937 random_;
  std::vector<std::unique_ptr<fiber>> fibers_;
  std::map<std::pair<unsigned, std::uint32_t>, team> teams_; // by warp and mask
  std::array<barrier, 16> barriers_;
  std::array<unsigned, 16> expected_{}; // 0: all that have not returned
  std::vector<std::function<void()>> background_;
  unsigned alive_ = 0;
  unsigned running_ = 0;
};

} // namespace simt
