// Server-sent events out of the pieces of a stream, as they come.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace troupe {

class event_lines {
 public:
  /// Called with the text of each `data:` line; false ends the reading.
  using handler = std::function<bool(std::string_view data)>;

  /// Takes the next piece; false where the handler has had enough. Comments and other fields are
  /// passed over. A line that comes whole is not copied.
  bool add(std::string_view piece, const handler& on_event);

 private:
  static bool take(std::string_view line, const handler& on_event);

  std::string begun_; // of a line that has no end yet
};

} // namespace troupe
