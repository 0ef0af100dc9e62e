// Accepts connections.
#pragma once

#include "transport/door.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>

namespace troupe {

class listener : public std::enable_shared_from_this<listener> {
 public:
  /// Binds and listens; throws std::runtime_error naming host and port where it cannot.
  listener(boost::asio::io_context& io, door& at);

  void start();
  void stop();
  std::uint16_t port() const { return port_; }

 private:
  void accept();
  void on_accepted(boost::system::error_code error, boost::asio::ip::tcp::socket socket);
  void pause();

  boost::asio::io_context& io_;
  door& door_;
  boost::asio::ip::tcp::acceptor acceptor_; // on a strand of its own
  boost::asio::steady_timer timer_;
  std::uint16_t port_ = 0;
};

} // namespace troupe
