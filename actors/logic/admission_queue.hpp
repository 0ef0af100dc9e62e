// The bound on what waits: requests (counted by their sequences) and prompt tokens. What is over it
// is refused at once, before any work, and told when to come again: when the queue will have
// drained at the rate at which sequences were started lately.
#pragma once

#include "actors/request.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

namespace troupe {

struct admission_limits {
  std::uint32_t max_waiting = 1024;             ///< sequences admitted and not started
  std::uint64_t max_waiting_tokens = 1'000'000; ///< their prompts' tokens
};

class admission_queue {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit admission_queue(admission_limits limits) : limits_{limits} {}

  /// May so many sequences enter? They count as waiting from now on; nothing counts where an error
  /// is returned.
  std::optional<api_error> enter(std::uint32_t sequences, time_point now);
  /// They will not come after all.
  void leave(std::uint32_t sequences) { entering_ -= sequences; }
  /// One of those that entered has this many prompt tokens and this id.
  void wait(std::uint64_t sequence, std::uint32_t prompt_tokens);
  /// It runs; or it ended, started or not. Each may come once or not at all.
  void started(std::uint64_t sequence, time_point now);
  void ended(std::uint64_t sequence);

  std::uint32_t waiting() const { return entering_ + static_cast<std::uint32_t>(waiting_.size()); }
  /// Seconds until a refused client should come again, 1 to 60.
  std::uint32_t retry_after(time_point now);

 private:
  admission_limits limits_;
  std::uint32_t entering_ = 0; // being tokenized
  std::unordered_map<std::uint64_t, std::uint32_t> waiting_;
  std::uint64_t waiting_tokens_ = 0;
  std::deque<time_point> starts_; // the last few
  std::uint32_t refusals_ = 0;
};

} // namespace troupe
