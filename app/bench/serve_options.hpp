// What `troupe bench serve` can be told.
#pragma once

#include "app/bench/goodput.hpp"
#include "app/bench/request_writer.hpp"
#include "app/command_line.hpp"
#include "config/option.hpp"
#include "config/sources.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

struct bench_server {
  std::string url = "http://127.0.0.1:8000";
  std::string model; ///< empty: the server's first
  bench_endpoint endpoint = bench_endpoint::completions;
  std::string api_key;
  std::vector<std::string> headers; ///< "Name: value" each
  milliseconds timeout{600'000};    ///< of each request, from sending to its last byte
  bool operator==(const bench_server&) const = default;
};

struct bench_load {
  std::uint32_t requests = 0;    ///< 0: all of a trace, or 100
  std::uint32_t concurrency = 0; ///< at once; 0: no limit
  double rate = 0;               ///< a second; 0: all are due at once
  double burstiness = 1;
  std::uint32_t warmup = 0;
  std::uint64_t seed = 0; ///< 0: drawn
  bool operator==(const bench_load&) const = default;
};

struct bench_lengths {
  std::uint32_t input = 512;
  std::uint32_t output = 128;
  double range_ratio = 0;
  std::uint32_t prefix_tokens = 0;
  std::uint32_t prefixes = 1;
  bool operator==(const bench_lengths&) const = default;
};

struct bench_trace {
  std::string file;
  double speed = 1;
  double scale = 1;
  bool operator==(const bench_trace&) const = default;
};

struct bench_bodies {
  bool text = false;
  std::uint32_t vocabulary = 0; ///< 0: the server is asked
  bool ignore_eos = true;
  std::string extra;
  bool operator==(const bench_bodies&) const = default;
};

struct bench_results {
  std::string goodput;
  std::string json; ///< file; "-": standard output; empty: none
  bool per_request = false;
  bool operator==(const bench_results&) const = default;
};

struct bench_serve_options {
  bench_server server;
  bench_load load;
  bench_lengths lengths;
  bench_trace trace;
  bench_bodies bodies;
  bench_results results;
  bool operator==(const bench_serve_options&) const = default;
};

std::vector<option_group_of<bench_serve_options>> bench_serve_groups();

/// Reads and checks them. What is wrong is added to `errors`, what is unwise to `warnings`, one
/// line each. The key is taken from OPENAI_API_KEY where the line has none.
bench_serve_options read_bench_serve(const command_line& line,
                                     const environment_variables& variables,
                                     std::vector<std::string>& errors,
                                     std::vector<std::string>& warnings);

} // namespace troupe
