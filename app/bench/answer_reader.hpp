// One answer as it comes, counted and timed. Times are seconds after the measurement's begin and
// come in as arguments.
#pragma once

#include "app/bench/chunk.hpp"
#include "app/bench/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What came of a request.
struct request_record {
  double planned = 0; ///< when it was to be sent
  double sent = 0;    ///< when it was
  /// Seconds from sending to the first delta with content; of an answer without any, to its end.
  double ttft = 0;
  double latency = 0; ///< seconds from sending to the last chunk with a token, or why it ended
  double ended = 0;   ///< when its exchange was over
  /// Seconds between one delta with content and the next.
  std::vector<double> gaps;
  std::uint64_t input = 0;  ///< tokens, as the server counts them, or else as planned
  std::uint64_t output = 0; ///< tokens, as the server counts them, or else deltas with content
  std::uint64_t cached = 0; ///< of the input
  std::uint64_t planned_input = 0;
  std::uint64_t planned_output = 0;
  bool counted = false; ///< by the server
  std::string error;    ///< empty: the answer is whole

  bool ok() const { return error.empty(); }
  /// Seconds for each token behind the first; 0 of an answer without such.
  double tpot() const;
};

/// How an exchange ended, as far as HTTP is concerned.
struct answer_end {
  int status = 0;        ///< 0: no answer came
  std::string reason;    ///< "Service Unavailable"
  bool streamed = false; ///< the answer was a stream of events
  std::string body;      ///< of an answer that was none
  std::string fault;     ///< what broke, or empty
};

class answer_reader {
 public:
  answer_reader(const planned_request& asked, double sent);

  /// The text after `data:` of an event.
  void on_event(std::string_view data, double at);
  void on_end(const answer_end& end, double at);

  /// After on_end().
  request_record take() { return std::move(record_); }

 private:
  std::string error_of(const answer_end& end) const;

  request_record record_;
  double last_content_ = 0;
  double last_choice_ = 0;
  std::uint64_t deltas_ = 0; // with content
  bool choice_ = false;
  bool done_ = false;
  std::optional<counted_usage> usage_;
  std::string fault_; // of the stream's contents
};

} // namespace troupe
