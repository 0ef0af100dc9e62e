// One client and the stream that serves it: the stream's logic is the real one, its reader is as
// slow as the scenario says. What the reader gets is compared with what it must get.
#pragma once

#include "actors/logic/continuation.hpp"
#include "tests/sim/scenario.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace troupe {

class client {
 public:
  explicit client(const simulated_client& what);

  /// Of a step, from a scheduler.
  void accept(const emission& what);
  void abandon();
  void read();
  /// Sends what can be sent; how many pieces. Throws violation where it is not what it must be.
  std::uint32_t send();

  bool blocked() const { return stream_.blocked(); }
  bool overfull() const { return stream_.overfull(); }
  bool generation_ended() const { return stream_.ended(); }
  bool finished() const { return finish_.has_value(); }
  std::uint32_t generated() const { return stream_.usage().completion; }
  std::optional<sequence_spec> move_on() { return stream_.move_on(); }

  /// It came to a good end, given what went wrong around it.
  void check_end(bool may_fail, bool abandoned) const;

 private:
  void check_piece(const text_piece& piece);

  const script& what_;
  continuation stream_;
  const std::string* expected_;
  std::string text_;
  std::uint32_t credit_;
  std::uint32_t tokens_ = 0;
  std::uint32_t prompt_tokens_ = 0;
  std::optional<continuation_end> finish_;
};

} // namespace troupe
