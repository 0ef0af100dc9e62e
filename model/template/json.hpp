// json.dumps(), as the `tojson` filter of transformers calls it.
#pragma once

#include "model/template/runtime.hpp"

#include <optional>
#include <string>

namespace troupe::jinja {

struct json_style {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent; ///< what one level is indented by; absent: all in one line.
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

/// Throws `fault` for what JSON cannot hold: undefined values, functions, generators.
text to_json(runtime& run, const value& v, const json_style& style);

} // namespace troupe::jinja
