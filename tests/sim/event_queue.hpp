// Virtual time, and messages in it. Between one sender and one receiver messages keep their order;
// messages of different pairs overtake each other as their random delays have it. That is what the
// actors may rely on, and no more.
#pragma once

#include "tests/sim/random_source.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// Microseconds since the beginning.
using sim_time = std::uint64_t;

class event_queue {
 public:
  /// Delays are between 0 and max_delay; one in `slow_one_in` takes twenty times as long.
  event_queue(random_source random, std::uint32_t max_delay, std::uint32_t slow_one_in)
      : random_{random}, max_delay_{max_delay}, slow_one_in_{slow_one_in} {}

  sim_time now() const { return now_; }
  std::uint64_t done() const { return done_; }

  void at(sim_time when, std::function<void()> what) {
    events_.push({when, ++serial_, std::move(what)});
  }

  /// A message from one to another.
  void send(std::uint32_t from, std::uint32_t to, std::function<void()> what) {
    auto& last = channels_[std::uint64_t{from} << 32 | to];
    const auto delay = random_.below(max_delay_ + 1) * (random_.one_in(slow_one_in_) ? 20U : 1U);
    last = std::max(last, now_ + delay);
    at(last, std::move(what));
  }

  /// The next event happens; false where there is none.
  bool advance() {
    if (events_.empty()) return false;
    auto what = std::move(const_cast<event&>(events_.top()).what);
    now_ = events_.top().when;
    events_.pop();
    ++done_;
    what();
    return true;
  }

 private:
  struct event {
    sim_time when = 0;
    std::uint64_t serial = 0; // of two at one time the one that was sent first
    std::function<void()> what;
    bool operator<(const event& other) const {
      return std::pair{when, serial} >
             std::pair{other.when, other.serial}; // the earliest is on top
    }
  };

  random_source random_;
  std::uint32_t max_delay_;
  std::uint32_t slow_one_in_;
  sim_time now_ = 0;
  std::uint64_t serial_ = 0;
  std::uint64_t done_ = 0;
  std::priority_queue<event> events_;
  std::unordered_map<std::uint64_t, sim_time> channels_;
};

} // namespace troupe
