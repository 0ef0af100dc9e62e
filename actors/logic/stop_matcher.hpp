// Finds stop strings in text that comes in pieces. Text that might be the beginning of a stop
// string is held back until it is clear, so that a client never sees half of one. Since stop
// strings begin with a whole character, what is let through ends with one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class stop_matcher {
 public:
  /// Valid UTF-8, none empty. With `keep` the text that matched stays part of the output.
  explicit stop_matcher(std::vector<std::string> stops, bool keep = false)
      : stops_{std::move(stops)}, keep_{keep} {}

  /// Takes a piece and returns what is clear now. After a match nothing more is ever let through.
  std::string feed(std::string_view piece);
  /// The stop string found, if any: the one that ends first, of those the longest.
  const std::optional<std::string>& matched() const { return matched_; }
  /// Whatever is held back, where no more text comes.
  std::string flush();

 private:
  std::size_t clear_length() const;

  std::vector<std::string> stops_;
  bool keep_;
  std::string held_;
  std::optional<std::string> matched_;
};

} // namespace troupe
