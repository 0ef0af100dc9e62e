#include "transport/http/listener.hpp"

#include "transport/api/api_errors.hpp"
#include "transport/http/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace troupe {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

/// After an accept that failed, usually for want of file descriptors.
constexpr std::chrono::milliseconds pause_time{50};

[[noreturn]] void refuse_to_start(const door_settings& settings, const std::string& reason) {
  throw std::runtime_error(
      fmt::format("cannot listen on {}:{}: {}", settings.host, settings.port, reason));
}

void turn_away(tcp::socket socket) {
  const std::string text = write_response(
      error_response(unavailable("The server has all the connections that it allows.",
                                 "server_is_overloaded")),
      {"none", {}, false, false});
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

} // namespace

listener::listener(asio::io_context& io, door& at)
    : io_(io), door_(at), acceptor_(asio::make_strand(io)), timer_(acceptor_.get_executor()) {
  const door_settings& settings = at.settings;
  error_code error;
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(settings.host, std::to_string(settings.port), tcp::resolver::passive, error);
  if (error || found.empty()) refuse_to_start(settings, "the host is not known");
  const tcp::endpoint endpoint = *found.begin();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) refuse_to_start(settings, "the port is in use");
  if (error) refuse_to_start(settings, error.message());
  port_ = acceptor_.local_endpoint().port();
}

void listener::start() { accept(); }

void listener::stop() {
  asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_.close(ignored);
    self->timer_.cancel();
  });
}

void listener::accept() {
  acceptor_.async_accept(asio::any_io_executor(asio::make_strand(io_)),
                         [self = shared_from_this()](error_code error, tcp::socket socket) {
                           self->on_accepted(error, std::move(socket));
                         });
}

void listener::on_accepted(error_code error, tcp::socket socket) {
  if (!acceptor_.is_open()) return;
  if (error) return pause();
  if (door_.live.size() >= door_.settings.connections) {
    turn_away(std::move(socket));
  } else {
    const auto accepted = std::make_shared<connection>(std::move(socket), door_);
    door_.live.add(accepted);
    accepted->start();
  }
  accept();
}

void listener::pause() {
  timer_.expires_after(pause_time);
  timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error && self->acceptor_.is_open()) self->accept();
  });
}

} // namespace troupe
