#include "app/bench/spread_json.hpp"

#include <nlohmann/json.hpp>

namespace troupe {

void add_spread(nlohmann::ordered_json& to, const std::string& name, const spread& values) {
  constexpr double milliseconds_in_second = 1000;
  const auto add = [&](const char* which, double seconds) {
    to[std::string(which) + '_' + name + "_ms"] = seconds * milliseconds_in_second;
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
