// What is served where. Paths are compared as they were sent, byte for byte: nothing is decoded or
// normalised, so no spelling of a path gets past the check for a key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

enum class endpoint : std::uint8_t {
  about,
  health,
  livez,
  readyz,
  version,
  metrics,
  models,
  model,
  chat,
  completions,
  tokenize,
  detokenize,
  stream
};

struct route {
  endpoint what;
  std::string_view name;   ///< for metrics
  std::string_view method; ///< the one that is served; GET serves HEAD too
  bool open = false;       ///< served without a key
};

/// The route of a path, or null.
const route* find_route(std::string_view path);

/// What stands behind /v1/models/, or empty.
std::string_view model_in_path(std::string_view path);

/// The methods of a route, as Allow lists them.
std::string allowed_methods(const route& of);

} // namespace troupe
