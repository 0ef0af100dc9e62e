// How many deltas a stream may send ahead of its reader. The window bounds what lies between the
// stream and the socket; a client may hold the stream back further by paying credit itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace troupe {

class credit_window {
 public:
  explicit credit_window(std::uint32_t width = 0) : width_(width) {}

  /// The client pays from now on; what it has paid adds up.
  void pay(std::uint32_t deltas) {
    const std::uint32_t paid = allowance_.value_or(0);
    allowance_ = paid + std::min(deltas, std::numeric_limits<std::uint32_t>::max() - paid);
  }
  /// So many deltas have reached the client.
  void arrived(std::uint32_t deltas) { outstanding_ -= std::min(outstanding_, deltas); }
  /// The credit that is due to the stream now; it counts as given.
  std::uint32_t take() {
    std::uint32_t due = width_ - std::min(width_, outstanding_);
    if (allowance_) {
      due = std::min(due, *allowance_);
      *allowance_ -= due;
    }
    outstanding_ += due;
    return due;
  }

 private:
  std::uint32_t width_;
  std::uint32_t outstanding_ = 0;          // given, and not arrived
  std::optional<std::uint32_t> allowance_; // of the client; unset while it does not pay
};

} // namespace troupe
