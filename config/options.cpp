// Each option is declared here once: group, name, field, what it takes, one line of help. Its
// default is whatever the field holds in a fresh `settings`, its flag is its name with dashes
// unless another option has that name or the name says too little by itself.
#include "config/options.hpp"

#include "config/declaring.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

constexpr milliseconds nothing{0};
constexpr milliseconds tenth{100};
constexpr milliseconds second{1000};
constexpr milliseconds minute = 60 * second;
constexpr milliseconds hour = 60 * minute;
constexpr milliseconds day = 24 * hour;
constexpr byte_count gib = 1024 * mib;
constexpr byte_count tib = 1024 * gib;

option_group model_group() {
  using g = model_settings;
  declaring group("model", "what is served", &settings::model);
  group.text("path", &g::path, "the model: a Hugging Face folder").flag = "model";
  group.text("name", &g::name, "the id clients use; empty: the folder's name").flag = "model-name";
  group.count("max_context", &g::max_context, {0, 1 << 24},
              "tokens of prompt and answer together; 0: all the model has");
  return group.take();
}

option_group server_group() {
  using g = server_settings;
  declaring group("server", "the doors: HTTP and WebSocket", &settings::server);
  group.text("host", &g::host, "the address to listen on");
  group.count("port", &g::port, {1, 65535}, "the TCP port to listen on");
  group.count("threads", &g::threads, {1, 256}, "threads that read and write sockets").flag =
      "server-threads";
  group.count("max_connections", &g::max_connections, {1, 1'000'000}, "connections open at once");
  group.size("max_body", &g::max_body, {kib, gib}, "of one request, decoded");
  group.duration("header_timeout", &g::header_timeout, {tenth, 10 * minute},
                 "for a request's headers to arrive");
  group.duration("body_timeout", &g::body_timeout, {tenth, hour},
                 "longest pause while a body arrives");
  group.duration("idle_timeout", &g::idle_timeout, {second, day},
                 "for a connection without a request");
  group.texts("api_keys", &g::api_keys, "keys that open the door; empty: none is asked for")
      .secret = true;
  group.text("cors_origin", &g::cors_origin, "the web origin that may call, or *; empty: none");
  return group.take();
}

option_group engine_group() {
  using g = engine_settings;
  declaring group("engine", "how tokens are computed", &settings::engine);
  group.choice("device", &g::device, {"auto", "cpu", "cuda"},
               "what computes; auto: a GPU where the program can use one");
  group.boolean("deterministic", &g::deterministic, "the same tokens in every batch, on a GPU too");
  group.boolean("tuning", &g::tuning,
                "time a GPU's ways to multiply once; kept in ~/.cache/troupe");
  group.count("threads", &g::threads, {0, 1024}, "threads that compute; 0: one for each core");
  group.boolean("pin_threads", &g::pin_threads, "keep each computing thread on its core");
  group.count("max_sequences", &g::max_sequences, {0, 65536},
              "sequences that run at once; 0: 256, on a GPU 1024");
  group.count("step_tokens", &g::step_tokens, {0, 1 << 20},
              "most tokens in one forward pass; 0: 2048, on a GPU 8192");
  group.count("block_tokens", &g::block_tokens, {8, 256},
              "tokens in a block of the KV cache, a power of two");
  group.size("kv_memory", &g::kv_memory, {0, 64 * tib},
             "for the KV cache; 0: memory_fraction decides");
  group.fraction("memory_fraction", &g::memory_fraction, 0, 0.95,
                 "of the free memory to use in all; 0: 0.5, on a GPU 0.9");
  group.boolean("prefix_cache", &g::prefix_cache, "reuse the work on prompts that begin alike");
  return group.take();
}

option_group admission_group() {
  using g = admission_settings;
  declaring group("admission", "which requests are let in", &settings::admission);
  group.count("max_queued_requests", &g::max_queued_requests, {0, 1'000'000},
              "requests that may wait for a place");
  group.count("max_queued_tokens", &g::max_queued_tokens, {1, 1'000'000'000},
              "prompt tokens that may wait, in all");
  group.duration("default_timeout", &g::default_timeout, {tenth, day},
                 "of a request that names none");
  group.duration("max_timeout", &g::max_timeout, {tenth, day}, "the longest a request may ask for");
  group.count("default_max_tokens", &g::default_max_tokens, {0, 1 << 24},
              "of an answer, unless asked for; 0: to the context's end");
  return group.take();
}

option_group limits_group() {
  using g = limit_settings;
  declaring group("limits", "what one request may hold", &settings::limits);
  group.count("max_choices", &g::max_choices, {1, 1024}, "answers to one prompt (n)");
  group.count("max_prompts", &g::max_prompts, {1, 65536}, "prompts in one completion request");
  group.count("max_messages", &g::max_messages, {1, 1'000'000}, "messages in one conversation");
  group.count("max_stop", &g::max_stop, {0, 1024}, "stop strings");
  group.count("max_stop_bytes", &g::max_stop_bytes, {1, 65536}, "bytes of one stop string");
  group.count("max_logit_bias", &g::max_logit_bias, {0, 65536}, "entries of logit_bias");
  group.count("max_logprobs", &g::max_logprobs, {0, 20}, "alternatives reported with each token");
  group.count("max_tools", &g::max_tools, {0, 65536}, "tools a request may offer");
  group.count("json_depth", &g::json_depth, {4, 512}, "arrays and objects inside each other");
  return group.take();
}

option_group stream_group() {
  using g = stream_settings;
  declaring group("stream", "how answers flow to their readers", &settings::stream);
  group.size("buffer", &g::buffer, {4 * kib, gib}, "unsent bytes of an answer before it is parked")
      .flag = "stream-buffer";
  group.duration("slow_reader_timeout", &g::slow_reader_timeout, {tenth, hour},
                 "then a parked answer is cancelled");
  group.duration("ping_interval", &g::ping_interval, {tenth, hour},
                 "between signs of life on a silent stream");
  group.count("websocket_requests", &g::websocket_requests, {1, 65536},
              "requests at once on one WebSocket");
  return group.take();
}

option_group lifecycle_group() {
  using g = lifecycle_settings;
  declaring group("lifecycle", "start, stop, and faults", &settings::lifecycle);
  group.duration("drain_timeout", &g::drain_timeout, {nothing, day},
                 "for running answers to finish after SIGTERM");
  group.count("max_restarts", &g::max_restarts, {0, 1000}, "of the engine within restart_window");
  group.duration("restart_window", &g::restart_window, {second, day},
                 "in which restarts are counted");
  group.duration("stall_timeout", &g::stall_timeout, {second, hour},
                 "without a step while work waits: not ready");
  return group.take();
}

option_group log_group() {
  using g = log_settings;
  declaring group("log", "what is written about the work", &settings::log);
  group
      .choice("level", &g::level, {"debug", "info", "warning", "error"},
              "the least important lines to write")
      .flag = "log-level";
  group
      .choice("format", &g::format, {"auto", "human", "json"},
              "auto: human on a terminal, json elsewhere")
      .flag = "log-format";
  group.boolean("prompts", &g::prompts, "write the text of prompts").flag = "log-prompts";
  return group.take();
}

} // namespace

std::vector<option_group> option_groups() {
  return {model_group(),  server_group(), engine_group(),    admission_group(),
          limits_group(), stream_group(), lifecycle_group(), log_group()};
}

std::vector<option> all_options() {
  std::vector<option> all;
  for (option_group& group : option_groups())
    for (option& each : group.options) all.push_back(std::move(each));
  return all;
}

const option& find_option(const std::vector<option>& options, std::string_view key) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const option& each) { return each.key() == key; });
  if (found == options.end()) throw std::out_of_range("no option " + std::string(key));
  return *found;
}

} // namespace troupe
