// A small blocking HTTP/1.1 client for the program's own verbs and for tests: JSON in, JSON or a
// stream of events out, one connection a request, a time limit on every wait.
#pragma once

#include "transport/http/server_address.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

struct http_reply {
  int status = 0;
  std::string body;
};

class http_client {
 public:
  /// `url` as parse_server_address takes it. Throws std::invalid_argument where it is not.
  explicit http_client(const std::string& url, std::string api_key = {},
                       std::chrono::milliseconds timeout = std::chrono::seconds(120));

  /// Sends this line, "Name: value", with each request from now on.
  void add_header(const std::string& line);

  /// Called with the text of each `data:` line; false ends the reading.
  using event_handler = std::function<bool(std::string_view data)>;

  // All three throw std::runtime_error with what failed, towards which host and port.
  http_reply get(const std::string& path) const;
  http_reply post(const std::string& path, const std::string& json) const;
  /// Events are given to `on_event`; what comes otherwise is in the reply's body.
  http_reply post_stream(const std::string& path, const std::string& json,
                         const event_handler& on_event) const;

 private:
  http_reply send(bool is_post, const std::string& path, const std::string& body,
                  const event_handler& on_event) const;

  server_address server_;
  std::string api_key_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::chrono::milliseconds timeout_;
};

} // namespace troupe
