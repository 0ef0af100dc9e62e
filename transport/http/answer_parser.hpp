// An HTTP/1.1 answer as its bytes come, its body handed on without being kept. Framing is Beast's.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace troupe {

class answer_parser : private boost::beast::http::basic_parser<false> {
 public:
  using base = boost::beast::http::basic_parser<false>;
  using error_code = boost::system::error_code;
  /// Called with each piece of the body, chunks' framing taken off.
  using handler = std::function<void(std::string_view piece)>;

  answer_parser();

  /// How many of the bytes were used; those that were not are to come again, with more behind them.
  std::size_t put(boost::asio::const_buffer bytes, const handler& on_body, error_code& error);
  static bool wants_more(const error_code& error);
  using base::is_done;
  using base::put_eof;

  int status() const { return status_; } ///< 0: not yet known
  const std::string& reason() const { return reason_; }
  bool streams_events() const { return events_; }
  bool keeps_connection() const { return base::keep_alive(); }

 private:
  using view = boost::beast::string_view;
  using field = boost::beast::http::field;

  void on_request_impl(boost::beast::http::verb, view, view, int, error_code& error) override;
  void on_response_impl(int status, view reason, int version, error_code& error) override;
  void on_field_impl(field name, view spelled, view value, error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& size, error_code& error) override;
  std::size_t on_body_impl(view piece, error_code& error) override;
  void on_chunk_header_impl(std::uint64_t size, view extensions, error_code& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t left, view piece, error_code& error) override;
  void on_finish_impl(error_code& error) override;

  const handler* on_body_ = nullptr; // during put()
  int status_ = 0;
  std::string reason_;
  bool events_ = false;
};

} // namespace troupe
