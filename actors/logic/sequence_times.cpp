#include "actors/logic/sequence_times.hpp"

#include <utility>

namespace troupe {
namespace {

double seconds(sequence_times::time_point from, sequence_times::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

} // namespace

// Tokens that came together share the time since those before.
void sequence_times::came(std::size_t tokens, time_point now) {
  if (tokens == 0) return;
  if (!first_)
    first_ = now;
  else
    gaps_.insert(gaps_.end(), tokens,
                 static_cast<float>(seconds(last_, now) / static_cast<double>(tokens)));
  last_ = now;
}

std::vector<float> sequence_times::take_gaps(std::size_t at_least) {
  return gaps_.size() < at_least ? std::vector<float>{} : std::exchange(gaps_, {});
}

sequence_durations sequence_times::durations(time_point now) const {
  sequence_durations out;
  out.total_seconds = seconds(arrival_, now);
  if (planned_) out.queue_seconds = seconds(arrival_, *planned_);
  if (!first_) return out;
  out.first_token_seconds = seconds(arrival_, *first_);
  out.prefill_seconds = seconds(planned_.value_or(arrival_), *first_);
  out.decode_seconds = seconds(*first_, last_);
  return out;
}

} // namespace troupe
