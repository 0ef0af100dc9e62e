// Reading is asked for as soon as a connection stands, not after the request is written: a server
// may refuse a request before it has read all of it. A connection that was used before may have
// been closed by the server meanwhile, which nobody notices before it is used again; such a request
// is sent once more on a new one.
#include "transport/http/many_client.hpp"

#include "transport/http/answer_parser.hpp"
#include "transport/http/event_lines.hpp"

// Boost 1.74 uses std::exchange without including it.
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

constexpr std::size_t read_size = 16U << 10U;
constexpr std::size_t most_kept_body = 64U << 10U;

} // namespace

struct many_client::state {
  asio::io_context io{1};
  tcp::resolver::results_type endpoints;
  std::string name; // of the server, for messages
  std::string head; // of each request, up to the value of its Content-Length
  std::chrono::milliseconds timeout;
  std::vector<std::shared_ptr<connection>> idle;
};

/// A socket, and the exchange that it carries now.
class many_client::connection : public std::enable_shared_from_this<connection> {
 public:
  explicit connection(state& all) : all_(all), socket_(all.io), deadline_(all.io) {}

  void begin(std::string request, exchange_listener& listener) {
    request_ = std::move(request);
    listener_ = &listener;
    end_ = {};
    events_ = {};
    parser_.emplace();
    buffer_.clear();
    used_before_ = connected_;
    start_exchange();
    if (connected_)
      send();
    else
      connect();
  }

 private:
  void start_exchange() {
    ++exchange_;
    deadline_.expires_after(all_.timeout);
    deadline_.async_wait(
        [self = shared_from_this(), exchange = exchange_](const error_code& error) {
          if (!error && exchange == self->exchange_) self->run_out();
        });
  }

  void connect() {
    asio::async_connect(socket_, all_.endpoints,
                        [self = shared_from_this(), exchange = exchange_](const error_code& error,
                                                                          const tcp::endpoint&) {
                          if (exchange != self->exchange_) return;
                          if (error) return self->fail("cannot connect to", error);
                          self->connected_ = true;
                          error_code ignored;
                          self->socket_.set_option(tcp::no_delay(true), ignored);
                          self->send();
                        });
  }

  void send() {
    writing_ = true;
    asio::async_write(
        socket_, asio::buffer(request_),
        [self = shared_from_this(), exchange = exchange_](const error_code& error, std::size_t) {
          if (exchange != self->exchange_) return;
          self->writing_ = false;
          // The answer, if one comes, says more; else reading fails, too.
          if (error) self->write_error_ = error;
        });
    read();
  }

  void read() {
    socket_.async_read_some(buffer_.prepare(read_size),
                            [self = shared_from_this(),
                             exchange = exchange_](const error_code& error, std::size_t size) {
                              if (exchange == self->exchange_) self->take(error, size);
                            });
  }

  void take(const error_code& error, std::size_t size) {
    const clock::time_point now = clock::now();
    if (error) return lose(error, now);
    buffer_.commit(size);
    started_ = true;
    if (!parse(now)) return;
    if (parser_->is_done()) return finish(now);
    read();
  }

  /// False where the answer is broken, which has then been told.
  bool parse(clock::time_point now) {
    const answer_parser::handler on_body = [&](std::string_view piece) { body(piece, now); };
    while (buffer_.size() > 0 && !parser_->is_done()) {
      error_code error;
      const std::size_t used = parser_->put(buffer_.data(), on_body, error);
      buffer_.consume(used);
      if (answer_parser::wants_more(error)) return true;
      if (error) {
        fail("no HTTP answer from", error);
        return false;
      }
    }
    return true;
  }

  void body(std::string_view piece, clock::time_point now) {
    if (parser_->streams_events() && parser_->status() == 200) {
      events_.add(piece, [&](std::string_view data) {
        listener_->on_event(data, now);
        return true;
      });
      return;
    }
    end_.body += piece.substr(0, most_kept_body - std::min(most_kept_body, end_.body.size()));
  }

  /// The connection is gone: at the end of an answer that says so, or in the middle.
  void lose(const error_code& error, clock::time_point now) {
    if (!started_ && used_before_) return again();
    if (error == asio::error::eof && started_) {
      error_code incomplete;
      parser_->put_eof(incomplete);
      if (!incomplete && parser_->is_done()) return finish(now);
    }
    const bool never = !started_;
    fail(never ? "no answer from" : "the answer broke off from",
         never && write_error_ ? write_error_ : error);
  }

  /// On a new connection, once.
  void again() {
    reopen();
    used_before_ = false;
    start_exchange();
    connect();
  }

  void run_out() {
    end_.fault =
        fmt::format("took longer than {:g} s", std::chrono::duration<double>(all_.timeout).count());
    tell(false, clock::now());
  }

  void fail(std::string_view what, const error_code& error) {
    end_.fault = fmt::format("{} {}: {}", what, all_.name, error.message());
    tell(false, clock::now());
  }

  void finish(clock::time_point now) { tell(parser_->keeps_connection() && !writing_, now); }

  void tell(bool reusable, clock::time_point now) {
    end_.status = parser_->status();
    end_.reason = parser_->reason();
    end_.streamed = parser_->streams_events();
    ++exchange_;
    deadline_.cancel();
    exchange_listener* const listener = std::exchange(listener_, nullptr);
    const exchange_end end = std::exchange(end_, {});
    started_ = false;
    writing_ = false;
    write_error_ = {};
    if (reusable)
      all_.idle.push_back(shared_from_this());
    else
      reopen();
    request_ = {};
    listener->on_end(end, now);
  }

  void reopen() {
    error_code ignored;
    socket_.close(ignored);
    connected_ = false;
  }

  state& all_;
  tcp::socket socket_;
  asio::steady_timer deadline_;
  beast::flat_buffer buffer_;
  std::optional<answer_parser> parser_;
  event_lines events_;
  std::string request_;
  exchange_listener* listener_ = nullptr;
  exchange_end end_;
  error_code write_error_;
  std::uint64_t exchange_ = 0; // so that what was asked for an earlier one is known by its number
  bool connected_ = false;
  bool used_before_ = false; // the connection, by another exchange
  bool writing_ = false;
  bool started_ = false; // the answer
};

many_client::many_client(const plan& wanted) : state_(std::make_unique<state>()) {
  state_->name = wanted.server.authority();
  state_->timeout = wanted.timeout;
  state_->head = fmt::format("POST {}{} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n",
                             wanted.server.path, wanted.path, state_->name);
  for (const std::string& each : wanted.headers) state_->head += each + "\r\n";
  state_->head += "Content-Length: ";
  error_code error;
  tcp::resolver resolver(state_->io);
  state_->endpoints = resolver.resolve(wanted.server.host, wanted.server.port, error);
  if (error)
    throw std::runtime_error(fmt::format("cannot find {}: {}", state_->name, error.message()));
}

many_client::~many_client() = default;

void many_client::post(std::string_view body, exchange_listener& listener) {
  std::string request;
  const std::string length = std::to_string(body.size());
  request.reserve(state_->head.size() + length.size() + 4 + body.size());
  request.append(state_->head).append(length).append("\r\n\r\n").append(body);
  std::shared_ptr<connection> carrier;
  if (state_->idle.empty()) {
    carrier = std::make_shared<connection>(*state_);
  } else {
    carrier = std::move(state_->idle.back());
    state_->idle.pop_back();
  }
  carrier->begin(std::move(request), listener);
}

void many_client::call_at(time when, std::function<void()> what) {
  auto timer = std::make_shared<asio::steady_timer>(state_->io, when);
  timer->async_wait([timer, what = std::move(what)](const error_code& error) {
    if (!error) what();
  });
}

void many_client::run() {
  state_->io.restart();
  state_->io.run();
}

void many_client::stop() { state_->io.stop(); }

} // namespace troupe
