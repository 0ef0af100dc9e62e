// When what happened to a sequence: the raw material of the latency metrics. Time comes in as an
// argument.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace troupe {

/// In seconds; negative where it never came that far.
struct sequence_durations {
  double queue_seconds = -1;       ///< from arrival to the first step
  double first_token_seconds = -1; ///< from arrival to the first token
  double prefill_seconds = -1;     ///< from the first step to the first token
  double decode_seconds = -1;      ///< from the first token to the last
  double total_seconds = 0;        ///< from arrival to the end
};

class sequence_times {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit sequence_times(time_point arrival) : arrival_{arrival} {}

  /// It was planned for the first time.
  void planned(time_point when) { planned_ = when; }
  /// So many tokens came at once.
  void came(std::size_t tokens, time_point now);
  /// Seconds between tokens since the last call, where there are at least so many.
  std::vector<float> take_gaps(std::size_t at_least = 1);

  sequence_durations durations(time_point now) const;

 private:
  time_point arrival_;
  std::optional<time_point> planned_;
  std::optional<time_point> first_;
  time_point last_;
  std::vector<float> gaps_;
};

} // namespace troupe
