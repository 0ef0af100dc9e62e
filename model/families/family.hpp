// Which families are served: a table from config.json's model_type to the function that reads the
// rest of it.
#pragma once

#include "model/architecture.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string>

namespace troupe {

class config_reader;

/// Reads one family's config.json. Throws model_error where a field is wrong.
using family_reader = architecture (*)(const config_reader&);

architecture read_llama(const config_reader& config);
architecture read_mistral(const config_reader& config);
architecture read_qwen2(const config_reader& config);
architecture read_qwen3(const config_reader& config);

/// The architecture that a config.json describes; `file` is named in the errors (model_error).
architecture read_architecture(const nlohmann::json& config, const std::string& file);
/// The same, from `folder`/config.json.
architecture read_architecture(const std::filesystem::path& folder);

} // namespace troupe
