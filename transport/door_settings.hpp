// Everything that can be set about the doors: what they listen on, what they refuse, how long they
// wait. It is transport's own input, so that the doors can be tested without a configuration file;
// the program fills it from its settings. Limits hold before any work is done with what they limit.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// How large the parts of a request may be.
struct request_limits {
  std::size_t body_bytes = 32U << 20U;
  std::size_t request_line_bytes = 8U << 10U;
  std::size_t header_bytes = 16U << 10U; ///< request line and all fields
  std::size_t header_lines = 100;
  std::size_t chunks = 65536; ///< of a chunked body
  std::size_t json_depth = 64;
  std::size_t json_values = 1U << 21U;   ///< all scalars, arrays and objects of a body
  std::size_t json_members = 10'000;     ///< of one object
  std::size_t answer_bytes = 16U << 20U; ///< text collected for an answer that is not streamed

  std::uint32_t messages = 4096;
  std::uint32_t prompts = 64;
  std::uint32_t n = 16;
  std::uint32_t stop = 16;
  std::uint32_t stop_bytes = 256;
  std::uint32_t stop_token_ids = 256;
  std::uint32_t logit_bias = 1024;
  std::uint32_t top_logprobs = 20;
  std::uint32_t tools = 128;
};

struct door_settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;         ///< 0 takes a free one
  std::string model;                 ///< printed in answers to requests that name no model
  std::string version;               ///< of the program, for /version
  std::vector<std::string> api_keys; ///< none: everybody may
  std::string cors_origin;           ///< "*" or one origin; empty sends no CORS headers

  request_limits limits;
  std::size_t connections = 10'000;
  std::size_t stream_buffer_bytes = 256U << 10U; ///< not yet written, of one connection
  std::uint32_t websocket_requests = 64;         ///< under way on one connection
  std::uint32_t websocket_messages_per_second = 1000;

  std::chrono::milliseconds header_timeout{
      10'000}; ///< from a request's first byte to its header's last
  std::chrono::milliseconds body_timeout{30'000};     ///< without a byte of the body
  std::chrono::milliseconds idle_timeout{120'000};    ///< between requests
  std::chrono::milliseconds write_timeout{60'000};    ///< without a byte taken by the client
  std::chrono::milliseconds question_timeout{10'000}; ///< for answers that need no generation
  std::chrono::milliseconds ping_interval{20'000};
  std::chrono::milliseconds max_request_timeout{86'400'000};
};

} // namespace troupe
