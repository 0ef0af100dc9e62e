#include "transport/http/answer_parser.hpp"

#include <boost/beast/http/error.hpp>

namespace troupe {

namespace http = boost::beast::http;

namespace {

constexpr std::uint32_t longest_head = 64U << 10U;

} // namespace

answer_parser::answer_parser() {
  eager(true);
  header_limit(longest_head);
  body_limit(boost::none);
}

std::size_t answer_parser::put(boost::asio::const_buffer bytes, const handler& on_body,
                               error_code& error) {
  on_body_ = &on_body;
  const std::size_t used = base::put(bytes, error);
  on_body_ = nullptr;
  return used;
}

bool answer_parser::wants_more(const error_code& error) { return error == http::error::need_more; }

void answer_parser::on_request_impl(http::verb, view, view, int, error_code& error) { error = {}; }

void answer_parser::on_response_impl(int status, view reason, int, error_code& error) {
  error = {};
  status_ = status;
  reason_ = std::string(reason);
}

void answer_parser::on_field_impl(field name, view, view value, error_code& error) {
  error = {};
  if (name == field::content_type)
    events_ = boost::beast::iequals(value.substr(0, value.find(';')), "text/event-stream");
}

void answer_parser::on_header_impl(error_code& error) { error = {}; }

void answer_parser::on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& error) {
  error = {};
}

std::size_t answer_parser::on_body_impl(view piece, error_code& error) {
  error = {};
  (*on_body_)({piece.data(), piece.size()});
  return piece.size();
}

void answer_parser::on_chunk_header_impl(std::uint64_t, view, error_code& error) { error = {}; }

std::size_t answer_parser::on_chunk_body_impl(std::uint64_t, view piece, error_code& error) {
  error = {};
  (*on_body_)({piece.data(), piece.size()});
  return piece.size();
}

void answer_parser::on_finish_impl(error_code& error) { error = {}; }

} // namespace troupe
