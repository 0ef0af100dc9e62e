// What a measurement wants to know of one chunk of a stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

struct counted_usage {
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;
  std::uint64_t cached = 0; ///< of the prompt
};

struct chunk_facts {
  bool sound = false;   ///< it is a JSON object
  bool choice = false;  ///< it has a choice
  bool content = false; ///< which brings text, thoughts or a part of a tool call
  bool finish = false;  ///< and says why it ends
  std::optional<counted_usage> usage;
  std::string error; ///< its message, where it tells of one
};

/// Reads the text after `data:`.
chunk_facts read_chunk(std::string_view text);

/// The message in what a server answers to a request that it refuses, whatever its shape; the text
/// itself where it has none, cut to a readable length.
std::string message_of_error(std::string_view body);

} // namespace troupe
