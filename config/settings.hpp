// Everything that can be set, on one page: plain structs with their defaults. What each value may
// be, how it is spelt on the command line, in a file and in the environment stands in options.cpp,
// the one table that fills these.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

using std::chrono::milliseconds;

/// A number of bytes.
using byte_count = std::uint64_t;
inline constexpr byte_count kib = 1024;
inline constexpr byte_count mib = 1024 * kib;

enum class log_level { debug, info, warning, error };

/// What computes; automatic is a GPU where the program can use one.
enum class device_kind { automatic, cpu, cuda };

/// How a log line is written; automatic is human on a terminal and json elsewhere.
enum class log_format { automatic, human, json };

/// What is served.
struct model_settings {
  std::string path;              ///< a model's folder; empty: none chosen.
  std::string name;              ///< the id that clients use; empty: the folder's or file's name.
  std::uint32_t max_context = 0; ///< tokens of prompt and answer together; 0: what the model has.
  bool operator==(const model_settings&) const = default;
};

/// The doors: sockets, HTTP and WebSocket.
struct server_settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;
  std::uint32_t threads = 1;             ///< threads that read and write sockets.
  std::uint32_t max_connections = 10000; ///< open at once; more are refused.
  byte_count max_body = 32 * mib;        ///< of one request, decoded.
  milliseconds header_timeout{
      10'000}; ///< from the first byte of a request to the end of its headers.
  milliseconds body_timeout{30'000};  ///< longest pause while a body arrives.
  milliseconds idle_timeout{120'000}; ///< a kept-alive connection without a request.
  std::vector<std::string> api_keys;  ///< any of them opens the door; empty: no key is asked for.
  std::string cors_origin;            ///< the web origin that may call, or *; empty: none.
  bool operator==(const server_settings&) const = default;
};

/// How tokens are computed.
struct engine_settings {
  device_kind device = device_kind::automatic;
  bool deterministic = false;      ///< the same tokens in every batch on a GPU too.
  bool tuning = true;              ///< time the ways of a GPU to multiply once, and keep the best.
  std::uint32_t threads = 0;       ///< that compute; 0: one for each core.
  bool pin_threads = true;         ///< each computing thread stays on its core.
  std::uint32_t max_sequences = 0; ///< that run at once; 0: as suits the device.
  std::uint32_t step_tokens = 0;   ///< most tokens in one forward pass; 0: as suits the device.
  std::uint32_t block_tokens = 16; ///< tokens in one block of the KV cache; a power of two.
  byte_count kv_memory = 0;        ///< for the KV cache; 0: memory_fraction of what is free.
  double memory_fraction = 0;      ///< of the free memory, where kv_memory is 0; 0: by device.
  bool prefix_cache = true; ///< keep blocks of finished sequences for prompts that begin alike.
  bool operator==(const engine_settings&) const = default;
};

/// Which requests are let in.
struct admission_settings {
  std::uint32_t max_queued_requests = 1024;    ///< waiting for a place in the batch.
  std::uint64_t max_queued_tokens = 1'000'000; ///< of prompts waiting, all together.
  milliseconds default_timeout{600'000};       ///< of a request that names none.
  milliseconds max_timeout{3'600'000};         ///< that a request may ask for.
  std::uint32_t default_max_tokens =
      0; ///< of an answer whose request names none; 0: to the context's end.
  bool operator==(const admission_settings&) const = default;
};

/// What one request may hold.
struct limit_settings {
  std::uint32_t max_choices = 16;     ///< `n`: answers to one prompt.
  std::uint32_t max_prompts = 64;     ///< prompts in one completion request.
  std::uint32_t max_messages = 4096;  ///< messages in one conversation.
  std::uint32_t max_stop = 16;        ///< stop strings.
  std::uint32_t max_stop_bytes = 256; ///< bytes of each stop string.
  std::uint32_t max_logit_bias = 1024;
  std::uint32_t max_logprobs = 20; ///< alternatives reported with each token.
  std::uint32_t max_tools = 128;
  std::uint32_t json_depth = 64; ///< arrays and objects inside each other.
  bool operator==(const limit_settings&) const = default;
};

/// How answers flow to their readers.
struct stream_settings {
  byte_count buffer = 256 * kib; ///< unsent bytes of one answer before its sequence is parked.
  milliseconds slow_reader_timeout{30'000}; ///< a parked sequence is cancelled after this.
  milliseconds ping_interval{20'000};       ///< between signs of life on a silent stream.
  std::uint32_t websocket_requests = 64;    ///< running at once on one WebSocket.
  bool operator==(const stream_settings&) const = default;
};

/// Start, stop and what happens after a fault.
struct lifecycle_settings {
  milliseconds drain_timeout{120'000}; ///< for running answers to finish after SIGTERM.
  std::uint32_t max_restarts =
      5; ///< of the engine within restart_window; one more ends the program.
  milliseconds restart_window{60'000};
  milliseconds stall_timeout{60'000}; ///< without a step while work waits: not ready.
  bool operator==(const lifecycle_settings&) const = default;
};

struct log_settings {
  log_level level = log_level::info;
  log_format format = log_format::automatic;
  bool prompts = false; ///< write the text of prompts, too.
  bool operator==(const log_settings&) const = default;
};

struct settings {
  model_settings model;
  server_settings server;
  engine_settings engine;
  admission_settings admission;
  limit_settings limits;
  stream_settings stream;
  lifecycle_settings lifecycle;
  log_settings log;
  bool operator==(const settings&) const = default;
};

} // namespace troupe
