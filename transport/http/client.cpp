// Asynchronous operations run to their end one by one, because only those can have a time limit.
#include "transport/http/client.hpp"

#include "transport/http/event_lines.hpp"

// Boost 1.74 uses std::exchange without including it.
#include <boost/asio/io_context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <limits>
#include <stdexcept>
#include <utility>

namespace troupe {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

/// One connection whose every step is waited for.
class link {
 public:
  link(const server_address& server, std::chrono::milliseconds timeout)
      : name_(server.authority()), timeout_(timeout), stream_(io_) {
    error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto found = resolver.resolve(server.host, server.port, error);
    check(error, "cannot find");
    step("cannot connect to", [&](auto&& done) {
      stream_.async_connect(found, [done](const error_code& e, const auto&) { done(e, 0); });
    });
  }

  template <class Start>
  std::size_t step(std::string_view what, Start start) {
    error_code result;
    std::size_t size = 0;
    stream_.expires_after(timeout_);
    start([&result, &size](const error_code& error, std::size_t bytes) {
      result = error;
      size = bytes;
    });
    io_.restart();
    io_.run();
    check(result, what);
    return size;
  }

  beast::tcp_stream& stream() { return stream_; }

 private:
  void check(const error_code& error, std::string_view what) const {
    if (error == beast::error::timeout)
      throw std::runtime_error(fmt::format("{} {}: it took too long", what, name_));
    if (error) throw std::runtime_error(fmt::format("{} {}: {}", what, name_, error.message()));
  }

  std::string name_;
  std::chrono::milliseconds timeout_;
  asio::io_context io_;
  beast::tcp_stream stream_;
};

} // namespace

http_client::http_client(const std::string& url, std::string api_key,
                         std::chrono::milliseconds timeout)
    : server_(parse_server_address(url)), api_key_(std::move(api_key)), timeout_(timeout) {}

void http_client::add_header(const std::string& line) {
  const auto colon = line.find(':');
  if (colon == std::string::npos) throw std::invalid_argument(line + " is no header");
  headers_.emplace_back(line.substr(0, colon), line.substr(colon + 1));
}

http_reply http_client::get(const std::string& path) const { return send(false, path, {}, {}); }

http_reply http_client::post(const std::string& path, const std::string& json) const {
  return send(true, path, json, {});
}

http_reply http_client::post_stream(const std::string& path, const std::string& json,
                                    const event_handler& on_event) const {
  return send(true, path, json, on_event);
}

http_reply http_client::send(bool is_post, const std::string& path, const std::string& body,
                             const event_handler& on_event) const {
  link connected(server_, timeout_);
  http::request<http::string_body> request(is_post ? http::verb::post : http::verb::get,
                                           server_.path + path, 11);
  request.set(http::field::host, server_.authority());
  request.set(http::field::connection, "close");
  if (!api_key_.empty()) request.set(http::field::authorization, "Bearer " + api_key_);
  for (const auto& [name, value] : headers_) request.insert(name, value);
  if (is_post) request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  connected.step("cannot send to",
                 [&](auto&& done) { http::async_write(connected.stream(), request, done); });

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  const auto read = [&](auto&& done) {
    http::async_read_header(connected.stream(), buffer, parser, done);
  };
  connected.step("no answer from", read);
  const bool events =
      on_event && parser.get()[http::field::content_type].starts_with("text/event-stream");
  event_lines lines;
  while (!parser.is_done()) {
    connected.step("the answer broke off from", [&](auto&& done) {
      http::async_read_some(connected.stream(), buffer, parser, done);
    });
    if (!events) continue;
    if (!lines.add(parser.get().body(), on_event)) break;
    parser.get().body().clear();
  }
  return {static_cast<int>(parser.get().result_int()),
          events ? std::string() : std::move(parser.get().body())};
}

} // namespace troupe
