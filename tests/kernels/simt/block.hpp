// Runs the blocks of a cluster, of one or more: a fiber for each thread, one after the other on
// this OS thread. A thread runs until it waits at a barrier; who runs next is drawn at random.
// Barriers count the threads that have not returned, as the hardware's do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace simt {

constexpr unsigned warp_size = 32;

struct index3 {
  unsigned x = 0, y = 0, z = 0;
};

/// What warp collectives exchange; a lane's deposit is at its own number.
using deposits = std::array<std::array<std::byte, 64>, warp_size>;

/// What is launched of a kernel.
struct launched {
  index3 grid;
  index3 threads; ///< of a block
  std::size_t shared_bytes = 0;
};

class block {
 public:
  /// `kernel` is called once for each thread of the blocks that stand at `at`, which are a cluster.
  /// Throws what a thread throws, and std::logic_error where threads wait for each other for ever.
  static void run(const std::function<void()>& kernel, const launched& as,
                  std::span<const index3> at, std::uint32_t seed);

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

  /// Where this block stands in its cluster.
  unsigned number() const { return number_; }
  /// The cluster's block of that number. Throws std::logic_error where there is none or all its
  /// threads have returned: its memory may be another's by then.
  block& neighbour(unsigned number) const;
  /// All threads of the cluster: counts, and waits until all have come.
  void arrive_cluster();
  void wait_cluster();
  /// Calls work() as if one of this block's threads did.
  void run_as(const std::function<void()>& work);

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

  struct cluster {
    std::vector<std::unique_ptr<block>> blocks;
    barrier gate;

    unsigned alive() const;
    void run_all();
  };

  block(const std::function<void()>& kernel, const launched& as, index3 at, std::uint32_t seed,
        cluster& with);
  /// Goes on with every thread that can, or with what is done in the background. False: nobody can.
  bool step();
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
  launched as_;
  index3 at_;
  cluster& cluster_;
  unsigned number_;
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
