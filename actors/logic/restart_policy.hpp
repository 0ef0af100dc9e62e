// How often a supervisor starts an engine again: restart intensity and back-off as in Erlang/OTP's
// supervisors. Deaths within the window are counted; each makes the next pause twice as long; one
// too many and it gives up.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace troupe {

class restart_policy {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = std::chrono::milliseconds;
  static constexpr duration first_pause{100};
  static constexpr duration longest_pause{10'000};

  /// At most max_restarts deaths within the window are mended.
  restart_policy(std::uint32_t max_restarts, duration window)
      : max_restarts_{max_restarts}, window_{window} {}

  /// A death. Returns the pause before the next start, or nullopt: it is time to give up.
  std::optional<duration> died(time_point now) {
    while (!deaths_.empty() && now - deaths_.front() > window_) deaths_.pop_front();
    deaths_.push_back(now);
    if (deaths_.size() > max_restarts_) return std::nullopt;
    const auto doublings = std::min<std::size_t>(deaths_.size() - 1, 16);
    return std::min(longest_pause, first_pause * (1 << doublings));
  }

 private:
  std::uint32_t max_restarts_;
  duration window_;
  std::deque<time_point> deaths_;
};

} // namespace troupe
