// How far a long start has come: one line on a terminal that is drawn over and over, or one line of
// log for each stage where nobody watches. Time comes in as an argument.
#pragma once

#include "app/log.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>

namespace troupe {

/// A moment of one stage.
struct progress_state {
  std::string stage;       ///< "weights"
  std::uint64_t done = 0;  ///< bytes or units; not more than total where that is known
  std::uint64_t total = 0; ///< the same; 0: not known
  std::chrono::milliseconds elapsed{0};
  std::string unit{}; ///< what is counted, "requests"; empty: bytes
};

/// "weights  [#####-----]  52%  1.2 GiB of 2.3 GiB  850 MiB/s  2s left", at most `columns` wide:
/// what does not fit is left out from the right, so the stage always stays.
std::string progress_text(const progress_state& state, std::size_t columns);

class progress {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// Draws on `out`, at most 10 times a second. `out` outlives this.
  static progress on_terminal(std::ostream& out, std::size_t columns);
  /// Writes a line when a stage ends.
  static progress to_log(const logger& log);

  /// Ends the stage before, if any, and begins one of `total` bytes, or of what `unit` names (0:
  /// not known).
  void begin(std::string stage, std::uint64_t total, time now, std::string unit = {});
  /// So much of the stage is done.
  void advance(std::uint64_t done, time now);
  /// Ends the last stage. Without a stage nothing happens.
  void finish(time now);

 private:
  using show = std::function<void(const progress_state&, bool ended)>;

  progress(show shown, bool every_step) : show_(std::move(shown)), every_step_(every_step) {}

  show show_;
  bool every_step_; // or only at the end of a stage
  bool running_ = false;
  progress_state state_;
  time began_;
  time drawn_;
};

} // namespace troupe
