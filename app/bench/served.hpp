// What a server says about itself before it is measured.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct served_model {
  std::string name;
  std::uint32_t vocabulary = 0; ///< tokens; 0: not told
};

/// The first model of an answer to GET /v1/models, or the one called `name` where that is not
/// empty. Nothing: there is none.
std::optional<served_model> read_models(std::string_view body, std::string_view name);

/// The ids in an answer to POST /tokenize, each once; empty: there are none.
std::vector<std::uint32_t> read_token_ids(std::string_view body);

} // namespace troupe
