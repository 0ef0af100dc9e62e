#include "app/bench/pace.hpp"

namespace troupe {

std::optional<std::size_t> pace::next(double now) {
  if (next_ == plan_.size() || !has_place() || plan_[next_].at > now) return std::nullopt;
  ++under_way_;
  return next_++;
}

std::optional<double> pace::wakes_at() const {
  if (next_ == plan_.size() || !has_place()) return std::nullopt;
  return plan_[next_].at;
}

} // namespace troupe
