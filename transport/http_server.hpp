// The HTTP and WebSocket door: binds, serves on threads of its own, and drains.
#pragma once

#include "transport/door_settings.hpp"
#include "transport/front.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace caf {
class actor_system;
}

namespace troupe {

class http_server {
 public:
  /// Binds and serves. Throws std::runtime_error naming host and port where it cannot bind.
  /// `system` must outlive the server.
  http_server(unsigned threads, door_settings settings, front to, caf::actor_system& system);
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;
  ~http_server();

  /// The port that is listened on, also where the settings left it open.
  std::uint16_t port() const;
  /// No new connections; idle ones are closed, the others when what runs on them has ended.
  void stop_accepting();
  /// That are open.
  std::size_t connections() const;
  /// Closes everything and ends the threads.
  void stop();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace troupe
