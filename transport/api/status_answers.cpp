#include "transport/api/status_answers.hpp"

#include "transport/api/json.hpp"

namespace troupe {

namespace {

std::string_view state_word(server_state state) {
  switch (state) {
  case server_state::loading:
    return "loading";
  case server_state::ready:
    return "ok";
  case server_state::recovering:
    return "recovering";
  case server_state::stalled:
    return "stalled";
  case server_state::draining:
    return "draining";
  case server_state::failed:
    return "failed";
  }
  return "failed";
}

} // namespace

std::string health_text(const health& state) {
  json out = {{"status", state_word(state.state)}};
  if (state.state == server_state::ready) return to_text(out);
  if (state.state == server_state::loading) {
    out["stage"] = state.stage;
    out["fraction"] = state.fraction;
    out["bytes"] = state.bytes;
    out["total_bytes"] = state.total_bytes;
  }
  out["reason"] = state.reason;
  return to_text(out);
}

std::string model_text(const model_description& model) {
  return to_text(json{{"id", model.id},
                      {"object", "model"},
                      {"created", model.created},
                      {"owned_by", "troupe"},
                      {"root", model.id},
                      {"parent", nullptr},
                      {"max_model_len", model.max_context},
                      {"vocabulary", model.vocabulary}});
}

std::string model_list_text(const model_description& model) {
  return "{\"object\":\"list\",\"data\":[" + model_text(model) + "]}";
}

} // namespace troupe
