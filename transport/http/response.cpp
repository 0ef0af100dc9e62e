#include "transport/http/response.hpp"

#include "transport/api/api_errors.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

std::string common_fields(const response_frame& frame) {
  std::string fields = fmt::format("x-request-id: {}\r\n", frame.request_id);
  if (!frame.cors_origin.empty())
    fields += fmt::format(
        "Access-Control-Allow-Origin: {}\r\nAccess-Control-Expose-Headers: x-request-id\r\n"
        "Vary: Origin\r\n",
        frame.cors_origin);
  fields += frame.keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  return fields;
}

} // namespace

response error_response(const api_error& error) {
  response out;
  out.status = error.status;
  out.body = error_body(error);
  if (error.status == 401) out.fields += "WWW-Authenticate: Bearer\r\n";
  if (error.retry_after > 0) out.fields += fmt::format("Retry-After: {}\r\n", error.retry_after);
  return out;
}

std::string_view reason_phrase(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 204:
    return "No Content";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 417:
    return "Expectation Failed";
  case 422:
    return "Unprocessable Content";
  case 426:
    return "Upgrade Required";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Gateway Timeout";
  case 505:
    return "HTTP Version Not Supported";
  default:
    return "Error";
  }
}

std::string write_response(const response& what, const response_frame& frame) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n{}{}", what.status, reason_phrase(what.status),
                                common_fields(frame), what.fields);
  if (what.status != 204)
    out += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", what.content_type,
                       what.body.size());
  out += "\r\n";
  if (!frame.head_only && what.status != 204) out += what.body;
  return out;
}

std::string write_event_stream_head(const response_frame& frame, bool chunked) {
  return fmt::format("HTTP/1.1 200 OK\r\n{}Content-Type: text/event-stream; charset=utf-8\r\n"
                     "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n{}\r\n",
                     common_fields(frame), chunked ? "Transfer-Encoding: chunked\r\n" : "");
}

std::string write_chunk(std::string_view data) {
  return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

} // namespace troupe
