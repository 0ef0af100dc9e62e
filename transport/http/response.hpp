// How answers are spelled on the wire.
#pragma once

#include "actors/request.hpp"

#include <string>
#include <string_view>

namespace troupe {

struct response {
  int status = 200;
  std::string_view content_type = "application/json; charset=utf-8";
  std::string body;
  std::string fields; ///< further header lines, each with its CRLF
};

/// OpenAI's error object with the header fields that belong to the status.
response error_response(const api_error& error);

std::string_view reason_phrase(int status);

/// What every answer on a connection says beside its own.
struct response_frame {
  std::string_view request_id;
  std::string_view cors_origin; ///< empty for none
  bool keep_alive = true;
  bool head_only = false; ///< the request was HEAD
};

std::string write_response(const response& what, const response_frame& frame);
/// The head of a stream of events; its body follows chunk by chunk where `chunked`.
std::string write_event_stream_head(const response_frame& frame, bool chunked);
/// One chunk of a chunked body; an empty one ends it.
std::string write_chunk(std::string_view data);

} // namespace troupe
