// Decides which request of a plan is sent when: at its time, but no more at once than allowed.
#pragma once

#include "app/bench/plan.hpp"

#include <cstddef>
#include <optional>

namespace troupe {

class pace {
 public:
  /// `most` requests at once; 0: no limit. The plan outlives this.
  explicit pace(const request_plan& plan, std::size_t most = 0) : plan_(plan), most_(most) {}

  /// The number of the request to send at `now`; it counts as under way from then on. Nothing: none
  /// is due, or there is no place.
  std::optional<std::size_t> next(double now);
  /// When to ask again. Nothing: after an answer has ended, or never.
  std::optional<double> wakes_at() const;
  /// An answer has ended.
  void ended() {
    --under_way_;
    ++done_;
  }

  std::size_t under_way() const { return under_way_; }
  std::size_t done() const { return done_; }
  bool finished() const { return done_ == plan_.size(); }

 private:
  bool has_place() const { return most_ == 0 || under_way_ < most_; }

  const request_plan& plan_;
  std::size_t most_;
  std::size_t next_ = 0;
  std::size_t under_way_ = 0;
  std::size_t done_ = 0;
};

} // namespace troupe
