// The numbers of a measurement inside the process, and how people and programs read them.
#pragma once

#include "app/bench/offline_clients.hpp"
#include "app/bench/roofline.hpp"
#include "app/bench/statistics.hpp"

#include <string>

namespace troupe {

/// A part of the steps.
struct step_part {
  spread each;      ///< seconds in one step
  double sum = 0;   ///< seconds in all
  double share = 0; ///< of the measurement's duration, 0 to 1
};

struct offline_report {
  std::string model;
  std::string device;
  dtype weight_type = dtype::f32;
  offline_work work;
  double places = 0; ///< sequences that could run at once

  double duration = 0; ///< seconds
  std::uint64_t input_tokens = 0;
  std::uint64_t cached_tokens = 0; ///< of them, not computed again
  std::uint64_t output_tokens = 0;
  spread ttft; ///< seconds
  spread tpot; ///< of answers of two tokens or more
  spread e2el;

  std::size_t steps = 0;
  step_part computing; ///< the device's
  step_part gap;       ///< the device idle between two steps
  step_part scheduler; ///< its own time, mostly beside the device's
  double rows_a_step = 0;
  double tokens_a_step = 0; ///< that came out: sequences that got one
  double occupancy = 0;     ///< of the places, those that got a token, 0 to 1
  std::uint64_t preemptions = 0;

  yardsticks device_rates;
  model_cost cost;
  roofline limit;

  double per_second(double count) const { return duration > 0 ? count / duration : 0; }
  double output_rate() const { return per_second(static_cast<double>(output_tokens)); }
  /// Output tokens a second, of those that the roofline allows.
  double reached() const { return output_rate() / limit.output_tokens_per_second(); }
};

/// Fills all that comes out of the requests and steps themselves; `report` has work and places.
void count_outcome(offline_report& report, const offline_outcome& outcome);

/// For people: a table, and the roofline in words.
std::string offline_text(const offline_report& report);

/// All of it as a JSON object, with the names of `bench serve` where it has the same. Rates in
/// units a second, times named _ms in milliseconds and others in seconds.
std::string offline_json(const offline_report& report);

} // namespace troupe
