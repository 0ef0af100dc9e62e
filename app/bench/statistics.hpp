// The numbers of a measurement, out of the records of its requests.
#pragma once

#include "app/bench/answer_reader.hpp"
#include "app/bench/goodput.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// Of a sample; all 0 where it is empty. Percentiles lie linearly between the two nearest values of
/// the sorted sample (type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996).
struct spread {
  std::size_t count = 0;
  double mean = 0;
  double deviation = 0; ///< standard, of the sample as a population
  double lowest = 0;
  double median = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
  double highest = 0;
};

spread spread_of(std::vector<double> values);

struct measurement {
  double duration = 0; ///< seconds, from the begin to the end of the last answer
  std::size_t completed = 0;
  std::size_t failed = 0;
  std::uint64_t input_tokens = 0; ///< of whole answers, as all that follows
  std::uint64_t output_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::size_t good = 0;              ///< those within the limits of goodput
  double peak_output_throughput = 0; ///< tokens in the best second of those since the first request
  std::size_t peak_concurrency = 0;  ///< requests under way at once, failed ones included
  spread ttft;                       ///< seconds
  spread tpot;                       ///< of answers with two tokens or more
  spread itl;                        ///< of all gaps of all answers
  spread e2el;
  spread queueing; ///< from a request's planned time to its sending

  std::size_t uncounted = 0; ///< answers whose tokens the server did not count
  std::size_t shorter = 0;   ///< answers of fewer tokens than asked for
  std::uint64_t planned_input_tokens = 0;
  /// Each reason with how many failed for it, the commonest first.
  std::vector<std::pair<std::string, std::size_t>> failures;

  double per_second(double count) const { return duration > 0 ? count / duration : 0; }
};

measurement measure(const std::vector<request_record>& records, double duration,
                    const goodput_limits& limits);

} // namespace troupe
