// The reading half of a connection and its times; what it writes is in connection_output.cpp.
#include "transport/http/connection.hpp"

#include "transport/api/api_errors.hpp"
#include "transport/websocket/upgrade.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <utility>

namespace troupe {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Read at once, and kept of pipelined requests while one is answered.
constexpr std::size_t read_bytes = 16U << 10U;
constexpr std::chrono::milliseconds linger_time{2000};

} // namespace

connection::connection(asio::ip::tcp::socket socket, door& at)
    : socket_(std::move(socket)), door_(at), timer_(socket_.get_executor()),
      write_timer_(socket_.get_executor()), reader_(at.settings.limits) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

connection::~connection() { door_.live.remove(this); }

void connection::start() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->expect_more(); });
}

void connection::drain() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->keep_alive_ = false;
    if (self->phase_ == phase::idle && self->outbox_.empty() && !self->writing_) self->close();
  });
}

void connection::stop() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->close(); });
}

void connection::wait_readable() {
  if (waiting_readable_ || input_ended_ || phase_ == phase::closed) return;
  waiting_readable_ = true;
  socket_.async_wait(
      asio::ip::tcp::socket::wait_read,
      [self = shared_from_this()](const error_code& error) { self->on_readable(error); });
}

void connection::on_readable(const error_code& error) {
  waiting_readable_ = false;
  if (phase_ == phase::closed) return;
  std::array<char, read_bytes> buffer;
  error_code failure = error;
  const std::size_t size = failure ? 0 : socket_.read_some(asio::buffer(buffer), failure);
  if (failure == asio::error::would_block) return wait_readable();
  if (failure == asio::error::eof) return on_end_of_input();
  if (failure) return close();
  if (phase_ == phase::lingering) return wait_readable();
  reader_.append({buffer.data(), size});
  if (phase_ != phase::answering) return read_requests();
  if (reader_.waiting() < read_bytes) wait_readable();
}

void connection::read_requests() {
  switch (reader_.advance()) {
  case request_reader::found::nothing:
  case request_reader::found::part:
    return expect_more();
  case request_reader::found::bad:
    phase_ = phase::answering;
    arrival_ = std::chrono::steady_clock::now();
    request_id_ = door_.ids.next();
    slip_ = {};
    keep_alive_ = false;
    return refuse(
        invalid_request(reader_.fault().message, "",
                        reader_.fault().status == 413 ? "request_too_large" : "invalid_request",
                        reader_.fault().status));
  case request_reader::found::head:
    if (open_request()) read_requests();
    return;
  case request_reader::found::complete:
    return run_request();
  }
}

void connection::expect_more() {
  if (phase_ == phase::closed) return;
  if (input_ended_) return close();
  const door_settings& settings = door_.settings;
  if (reader_.in_body()) {
    phase_ = phase::body;
    wait(settings.body_timeout);
  } else if (reader_.waiting() > 0) {
    if (phase_ != phase::head) wait(settings.header_timeout);
    phase_ = phase::head;
  } else {
    phase_ = phase::idle;
    wait(settings.idle_timeout);
    if (!keep_alive_ || door_.draining) return close();
  }
  wait_readable();
}

bool connection::open_request() {
  arrival_ = std::chrono::steady_clock::now();
  const request_head& head = reader_.head();
  keep_alive_ = head.keep_alive && !door_.draining;
  request_id_ = usable_request_id(head);
  if (request_id_.empty()) request_id_ = door_.ids.next();
  slip_ = pass_gate(head, door_.keys, door_.settings);
  if (slip_.error) {
    // What follows a refused head may be a body that nobody will read.
    const bool has_body = head.chunked || head.content_length.value_or(0) > 0;
    keep_alive_ = keep_alive_ && !has_body;
    phase_ = phase::answering;
    refuse(*slip_.error);
    return false;
  }
  if (slip_.wants_continue && reader_.waiting() == 0) {
    outbox_.add("HTTP/1.1 100 Continue\r\n\r\n");
    flush();
  }
  return true;
}

void connection::run_request() {
  phase_ = phase::answering;
  timer_.cancel();
  if (slip_.upgrade) return upgrade();
  wait_readable();
  if (slip_.preflight) {
    response allowed;
    allowed.status = 204;
    allowed.fields =
        "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
        "Access-Control-Allow-Headers: Authorization, Content-Type, x-api-key, x-request-id, "
        "x-request-timeout\r\nAccess-Control-Max-Age: 600\r\n";
    return answer(std::move(allowed));
  }
  start_exchange(slip_.where->what);
}

void connection::upgrade() {
  if (auto error = check_upgrade(reader_.head(), door_.settings)) {
    keep_alive_ = false;
    return refuse(*error);
  }
  timer_.cancel();
  phase_ = phase::closed;
  door_.live.remove(this);
  start_websocket(std::move(socket_), reader_.head(), door_);
}

void connection::on_end_of_input() {
  input_ended_ = true;
  keep_alive_ = keep_alive_ && reader_.waiting() > 0;
  if (phase_ != phase::answering) return close();
  if (answered_ || reader_.head().minor_version == 0) return;
  // A client that only closed its sending side still wants the answer; one that is gone answers
  // these bytes, which every client must skip, with a reset.
  if (streaming_)
    send_event(":\n\n", {});
  else
    outbox_.add("HTTP/1.1 100 Continue\r\n\r\n");
  flush();
  wait_for_reset();
}

void connection::wait_for_reset() {
  socket_.async_wait(asio::ip::tcp::socket::wait_error,
                     [self = shared_from_this()](const error_code& error) {
                       if (!error && self->phase_ != phase::closed) self->close();
                     });
}

void connection::wait(std::chrono::milliseconds duration) {
  timer_.expires_after(duration);
  timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    if (error) return;
    if (const auto self = weak.lock()) self->on_time();
  });
}

void connection::on_time() {
  // A wait that ended just before it was replaced comes here early.
  if (timer_.expiry() > std::chrono::steady_clock::now()) return;
  switch (phase_) {
  case phase::idle:
  case phase::lingering:
    return close();
  case phase::head:
  case phase::body: {
    const bool head = phase_ == phase::head;
    if (head) {
      slip_ = {};
      arrival_ = std::chrono::steady_clock::now();
      request_id_ = door_.ids.next();
    }
    phase_ = phase::answering;
    keep_alive_ = false;
    return refuse(invalid_request(head ? "The request's head took too long."
                                       : "The request's body took too long.",
                                  "", "request_timeout", 408));
  }
  case phase::answering:
    if (streaming_ && !answered_) {
      send_event(": keep-alive\n\n", {});
      flush();
      wait(door_.settings.ping_interval);
    } else if (exchange_ && !answered_ && exchange_->hurries()) {
      exchange_->out_of_time();
    }
    return;
  case phase::closed:
    return;
  }
}

void connection::linger() {
  // Closing with unread bytes would reset the connection and take the answer with it.
  phase_ = phase::lingering;
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  if (input_ended_) return close();
  wait(linger_time);
  wait_readable();
}

void connection::close() {
  if (phase_ == phase::closed) return;
  phase_ = phase::closed;
  exchange_.reset();
  if (bridge_) bridge_->close();
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  write_timer_.cancel();
  door_.live.remove(this);
}

} // namespace troupe
