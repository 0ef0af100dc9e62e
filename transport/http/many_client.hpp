// An HTTP/1.1 client for very many requests at once from one thread: a load generator's. It posts
// JSON, reads streams of events without keeping them, uses connections again, and tells a listener
// of each request what came and when. The blocking one for a request now and then is client.hpp.
#pragma once

#include "transport/http/server_address.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// How an exchange ended.
struct exchange_end {
  int status = 0;        ///< 0: no answer came
  std::string reason;    ///< "Service Unavailable"
  bool streamed = false; ///< the answer was a stream of events
  std::string body;      ///< of an answer that was none, its first 64 KiB
  std::string fault;     ///< what broke, or took too long; empty: the answer is whole
};

/// Hears of one request. Nothing may be thrown.
class exchange_listener {
 public:
  using time = std::chrono::steady_clock::time_point;

  virtual ~exchange_listener() = default;
  /// The text after `data:`; `now` is when its bytes were read.
  virtual void on_event(std::string_view data, time now) = 0;
  /// Nothing comes after this.
  virtual void on_end(const exchange_end& end, time now) = 0;
};

class many_client {
 public:
  using time = exchange_listener::time;

  struct plan {
    server_address server;
    std::string path;                           ///< "/v1/completions"
    std::vector<std::string> headers;           ///< "Name: value", sent with each request
    std::chrono::milliseconds timeout{600'000}; ///< of a whole exchange
  };

  /// Looks the host up. Throws std::runtime_error where it cannot be found.
  explicit many_client(const plan& wanted);
  many_client(const many_client&) = delete;
  many_client& operator=(const many_client&) = delete;
  ~many_client();

  /// Posts on a connection that is free, or on a new one. The listener, which outlives the
  /// exchange, is called from run(), never from here.
  void post(std::string_view body, exchange_listener& listener);
  /// Calls `what` from run() at this time.
  void call_at(time when, std::function<void()> what);
  /// Works until nothing is under way and nothing is to be called, or until stop(). What a call
  /// throws comes out of here.
  void run();
  /// Ends run(), and all that is under way without a word to its listener.
  void stop();

 private:
  class connection;
  struct state;

  std::unique_ptr<state> state_;
};

} // namespace troupe
