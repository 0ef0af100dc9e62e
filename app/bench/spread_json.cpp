#include "app/bench/spread_json.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace troupe {

void add_spread(nlohmann::ordered_json& to, const std::string& name, const spread& values) {
  const auto add = [&](const char* which, double seconds) {
    to[std::string(which) + '_' + name + "_ms"] = std::round(seconds * 1e9) / 1e6;
  };
  add("mean", values.mean);
  add("median", values.median);
  add("std", values.deviation);
  add("min", values.lowest);
  add("p90", values.p90);
  add("p95", values.p95);
  add("p99", values.p99);
  add("max", values.highest);
}

} // namespace troupe
