// A spread of times in results, under the names that vLLM's benchmarks use.
#pragma once

#include "app/bench/statistics.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace troupe {

/// Adds "mean_NAME_ms" and so on, to whole nanoseconds; `values` are seconds.
void add_spread(nlohmann::ordered_json& to, const std::string& name, const spread& values);

} // namespace troupe
