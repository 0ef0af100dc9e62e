// A request's head, parsed strictly: what two implementations could read differently is refused,
// because that difference is how requests are smuggled past a proxy. RFC 9112 where it says MUST,
// and its stricter choice where it leaves one.
#pragma once

#include "transport/door_settings.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

struct request_head {
  std::string method;
  std::string path; ///< of the target, as it was sent: neither decoded nor normalised
  int minor_version = 1;
  std::vector<std::pair<std::string, std::string>> fields; ///< names in lower case, values trimmed
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;

  /// The field's value where it was sent, the first of several. `name` in lower case.
  const std::string* find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  /// Whether a comma-separated field lists `token`, in whatever case.
  bool lists(std::string_view name, std::string_view token) const;
};

/// A request that cannot be read, and after which nothing on its connection can.
struct head_fault {
  int status = 400;
  std::string message;
};

/// `text` is a whole head with its empty line.
std::variant<request_head, head_fault> parse_head(std::string_view text,
                                                  const request_limits& limits);

/// ASCII, for names and tokens.
std::string to_lower(std::string_view text);

} // namespace troupe
