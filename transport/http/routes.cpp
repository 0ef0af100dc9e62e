#include "transport/http/routes.hpp"

#include <array>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view models_prefix = "/v1/models/";

struct entry {
  std::string_view path;
  route what;
};

constexpr std::array table = {
    entry{"/", {endpoint::about, "/", "GET", true}},
    entry{"/health", {endpoint::health, "/health", "GET", true}},
    entry{"/livez", {endpoint::livez, "/livez", "GET", true}},
    entry{"/readyz", {endpoint::readyz, "/readyz", "GET", true}},
    entry{"/version", {endpoint::version, "/version", "GET", true}},
    entry{"/metrics", {endpoint::metrics, "/metrics", "GET", true}},
    entry{"/v1/models", {endpoint::models, "/v1/models", "GET"}},
    entry{"/v1/chat/completions", {endpoint::chat, "/v1/chat/completions", "POST"}},
    entry{"/v1/completions", {endpoint::completions, "/v1/completions", "POST"}},
    entry{"/tokenize", {endpoint::tokenize, "/tokenize", "POST"}},
    entry{"/v1/tokenize", {endpoint::tokenize, "/tokenize", "POST"}},
    entry{"/detokenize", {endpoint::detokenize, "/detokenize", "POST"}},
    entry{"/v1/detokenize", {endpoint::detokenize, "/detokenize", "POST"}},
    entry{"/v1/stream", {endpoint::stream, "/v1/stream", "GET"}},
};

constexpr route one_model = {endpoint::model, "/v1/models/{id}", "GET"};

} // namespace

const route* find_route(std::string_view path) {
  for (const entry& each : table)
    if (each.path == path) return &each.what;
  return model_in_path(path).empty() ? nullptr : &one_model;
}

std::string_view model_in_path(std::string_view path) {
  if (path.substr(0, models_prefix.size()) != models_prefix) return {};
  return path.substr(models_prefix.size());
}

std::string allowed_methods(const route& of) {
  return of.method == "GET" ? "GET, HEAD" : std::string(of.method);
}

} // namespace troupe
