#include "transport/http/event_lines.hpp"

namespace troupe {

bool event_lines::add(std::string_view piece, const handler& on_event) {
  for (auto end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
    const std::string_view line = piece.substr(0, end);
    piece.remove_prefix(end + 1);
    if (begun_.empty()) {
      if (!take(line, on_event)) return false;
      continue;
    }
    begun_ += line;
    const bool more = take(begun_, on_event);
    begun_.clear();
    if (!more) return false;
  }
  begun_ += piece;
  return true;
}

bool event_lines::take(std::string_view line, const handler& on_event) {
  constexpr std::string_view field = "data:";
  if (!line.starts_with(field)) return true;
  line.remove_prefix(field.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return on_event(line);
}

} // namespace troupe
