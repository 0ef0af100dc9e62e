// Recorded arrivals and lengths of a real service, read from the two forms in which such are
// published.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace troupe {

/// Tokens in a block of a Mooncake trace.
inline constexpr std::uint32_t trace_block_tokens = 512;

struct traced_request {
  double at = 0; ///< seconds after the first
  std::uint32_t input = 1;
  std::uint32_t output = 1;
  /// Of each block of the prompt, the last of which may be short; empty where the trace has none.
  /// Equal numbers are equal tokens, up to the end of the shorter.
  std::vector<std::uint64_t> blocks;
};

struct trace {
  std::vector<traced_request> requests; ///< in the order of their arrival
};

/// Reads either form, told by its first character:
///  - Azure's CSV: a heading with TIMESTAMP, ContextTokens and GeneratedTokens (more columns are
///    passed over), times as "2023-11-16 18:15:46.6805900";
///  - Mooncake's JSON lines: timestamp in milliseconds, input_length, output_length, and hash_ids,
///    which may be left out.
/// Throws std::runtime_error that begins with `name` and the line.
trace read_trace(std::istream& from, const std::string& name);

} // namespace troupe
