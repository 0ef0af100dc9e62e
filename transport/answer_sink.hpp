// Where a generation's answer goes. A door implements it once for each way in which it answers.
#pragma once

#include "actors/request.hpp"

#include <cstdint>
#include <string>

namespace troupe {

class answer_sink {
 public:
  virtual ~answer_sink() = default;

  /// The request runs; chunks follow, or the whole.
  virtual void started() = 0;
  /// A chunk of a streamed answer, as JSON. Where `counts`, generation::written is due when
  /// it has left.
  virtual void chunk(std::uint32_t choice, std::string text, bool counts) = 0;
  /// The end of an answer. `whole` is its body where it was not streamed.
  virtual void done(const token_usage& usage, std::string whole) = 0;
  /// The end of a request that failed, before or after it started.
  virtual void failed(const api_error& error) = 0;
};

} // namespace troupe
