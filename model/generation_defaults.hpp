// What generation_config.json recommends: the sampling that a request gets where it says nothing,
// and the tokens that end a continuation.
#pragma once

#include "config/sampling.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace troupe {

struct architecture;

struct generation_defaults {
  sampling_params sampling;
  std::vector<token_id> eos; ///< those of both files, ascending; may be empty
};

/// Reads `folder`/generation_config.json, which may be absent. do_sample false means temperature 0.
/// Throws model_error where a field is wrong.
generation_defaults read_generation_defaults(const std::filesystem::path& folder,
                                             const architecture& model);

} // namespace troupe
