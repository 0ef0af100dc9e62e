// One plan carried out against a server: requests go out at their times, answers are read and
// timed, all in the thread that calls.
#pragma once

#include "app/bench/answer_reader.hpp"
#include "app/bench/plan.hpp"
#include "app/bench/request_writer.hpp"
#include "transport/http/many_client.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace troupe {

struct load_outcome {
  std::vector<request_record> records; ///< of the requests that ended, as they were planned
  double duration = 0;                 ///< seconds, to the end of the last answer
  bool interrupted = false;
};

/// Called some ten times a second with how many requests have ended; false interrupts the load, and
/// what is under way then has no record.
using load_watch = std::function<bool(std::size_t done, std::chrono::steady_clock::time_point now)>;

/// Sends the plan to `where`, `most` requests at once (0: no limit). Throws where the server cannot
/// be found.
load_outcome carry_out(const request_plan& plan, std::size_t most, const many_client::plan& where,
                       const request_writer& writer, const load_watch& watch);

} // namespace troupe
