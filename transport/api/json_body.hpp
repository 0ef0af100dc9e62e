// Strict JSON from untrusted bytes: RFC 8259 and nothing beyond it, no byte order mark, valid
// UTF-8, no lone surrogates, no duplicate keys, bounded depth and counts. The parser keeps its own
// stack, so that depth costs no stack of ours; everything else in the doors may trust what comes
// from here.
#pragma once

#include "transport/api/json.hpp"
#include "transport/door_settings.hpp"

#include <string_view>
#include <variant>

namespace troupe {

/// Why a text was refused, in words for its author.
struct json_fault {
  std::string reason;
  bool too_large = false; ///< one of the limits, not the grammar
};

/// The value of `text`, or why there is none. Time and memory are linear in text.size().
std::variant<json, json_fault> parse_json(std::string_view text, const request_limits& limits);

} // namespace troupe
