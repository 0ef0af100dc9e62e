#include "app/door_settings_of.hpp"

#include <filesystem>

namespace troupe {

std::string model_name(const model_settings& chosen) {
  if (!chosen.name.empty()) return chosen.name;
  return std::filesystem::weakly_canonical(chosen.path).filename().string();
}

door_settings door_settings_of(const settings& chosen) {
  door_settings out;
  out.host = chosen.server.host;
  out.port = chosen.server.port;
  out.model = model_name(chosen.model);
  out.version = TROUPE_VERSION;
  out.api_keys = chosen.server.api_keys;
  out.cors_origin = chosen.server.cors_origin;
  out.connections = chosen.server.max_connections;
  out.header_timeout = chosen.server.header_timeout;
  out.body_timeout = chosen.server.body_timeout;
  out.idle_timeout = chosen.server.idle_timeout;
  out.stream_buffer_bytes = chosen.stream.buffer;
  out.ping_interval = chosen.stream.ping_interval;
  out.websocket_requests = chosen.stream.websocket_requests;
  out.max_request_timeout = chosen.admission.max_timeout;
  out.limits.body_bytes = chosen.server.max_body;
  out.limits.json_depth = chosen.limits.json_depth;
  out.limits.messages = chosen.limits.max_messages;
  out.limits.prompts = chosen.limits.max_prompts;
  out.limits.n = chosen.limits.max_choices;
  out.limits.stop = chosen.limits.max_stop;
  out.limits.stop_bytes = chosen.limits.max_stop_bytes;
  out.limits.logit_bias = chosen.limits.max_logit_bias;
  out.limits.top_logprobs = chosen.limits.max_logprobs;
  out.limits.tools = chosen.limits.max_tools;
  return out;
}

} // namespace troupe
