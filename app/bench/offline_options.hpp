// What `troupe bench offline` can be told, beside the settings of the engine.
#pragma once

#include "app/command_line.hpp"
#include "config/option.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

struct bench_offline_load {
  std::uint32_t requests = 100;
  std::uint32_t concurrency = 0; ///< at once; 0: all
  std::uint32_t input = 512;     ///< tokens of each prompt
  std::uint32_t output = 128;    ///< tokens of each answer
  bool warmup = true;
  std::uint64_t seed = 0;
  bool operator==(const bench_offline_load&) const = default;
};

struct bench_offline_results {
  std::string json; ///< file; "-": standard output; empty: none
  bool operator==(const bench_offline_results&) const = default;
};

struct bench_offline_options {
  bench_offline_load load;
  bench_offline_results results;
  bool operator==(const bench_offline_options&) const = default;
};

std::vector<option_group_of<bench_offline_options>> bench_offline_groups();

/// What is wrong is added to `errors`, one line each.
bench_offline_options read_bench_offline(const command_line& line,
                                         std::vector<std::string>& errors);

} // namespace troupe
