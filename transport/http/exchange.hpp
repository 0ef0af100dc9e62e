// One request and its answer on a connection. The connection knows sockets and time; an exchange
// knows what to ask the actors and how the answer reads.
#pragma once

#include "transport/companion.hpp"
#include "transport/http/response.hpp"

#include <optional>
#include <string_view>

namespace troupe {

/// What an exchange may do with its connection. None of these destroys the exchange.
class responder {
 public:
  /// The whole answer.
  virtual void answer(response what) = 0;
  /// An answer in events: its head, events as they come, its end. With a choice, exchange::written
  /// follows when the event has left.
  virtual void begin_events() = 0;
  virtual void send_event(std::string_view text, std::optional<std::uint32_t> choice) = 0;
  virtual void end_events(bool complete) = 0;

 protected:
  ~responder() = default;
};

class exchange {
 public:
  virtual ~exchange() = default;

  virtual void start() = 0;
  virtual void on(front_event&& event) = 0;
  /// So many events of a choice have left.
  virtual void written(std::uint32_t, std::uint32_t) {}
  /// The actors took longer than a question may. Not called once events have begun.
  virtual void out_of_time() {}
  /// Whether out_of_time is wanted at all.
  virtual bool hurries() const { return true; }
};

} // namespace troupe
