// The checks ride on the parser's callback, so that a hostile text is refused before its tree is
// built.
#include "model/strict_json.hpp"

#include "model/model_error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <set>
#include <vector>

namespace troupe {

nlohmann::json parse_json_object(std::string_view text, const std::string& file, int max_depth) {
  using json = nlohmann::json;
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& value) {
    using event_t = json::parse_event_t;
    if (depth > max_depth)
      throw model_error(fmt::format("{}: nests more than {} deep", file, max_depth));
    if (event == event_t::object_start) keys.emplace_back();
    if (event == event_t::object_end) keys.pop_back();
    if (event == event_t::key && !keys.back().insert(value.get<std::string>()).second)
      throw model_error(
          fmt::format("{}: has the key \"{}\" twice", file, value.get<std::string>()));
    return true;
  };
  json out;
  try {
    out = json::parse(text, check);
  } catch (const json::exception& e) {
    throw model_error(fmt::format("{}: is not JSON: {}", file, e.what()));
  }
  if (!out.is_object()) throw model_error(fmt::format("{}: must hold a JSON object", file));
  return out;
}

} // namespace troupe
