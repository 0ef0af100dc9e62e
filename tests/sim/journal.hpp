// What happened, for whoever looks at a failure: the last events, or all of them as they happen.
// Costs nothing while it is off.
#pragma once

#include "tests/sim/event_queue.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <deque>
#include <string>
#include <utility>

namespace troupe {

class journal {
 public:
  enum class mode : std::uint8_t { off, last, all };
  explicit journal(mode kept) : mode_{kept} {}

  template <class... Args>
  void note(sim_time at, fmt::format_string<Args...> what, Args&&... args) {
    if (mode_ == mode::off) return;
    auto line = fmt::format("{:>8} us  {}", at, fmt::format(what, std::forward<Args>(args)...));
    if (mode_ == mode::all) fmt::print("{}\n", line);
    lines_.push_back(std::move(line));
    if (lines_.size() > kept_lines) lines_.pop_front();
  }

  const std::deque<std::string>& lines() const { return lines_; }

 private:
  static constexpr std::size_t kept_lines = 40;
  mode mode_;
  std::deque<std::string> lines_;
};

} // namespace troupe
