// Sizes and durations as people write them: 256MiB, 30s. A unit is always one of a short list and
// never guessed, because 10g, 10Mb or a bare 30 mean different things to different readers.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe {

/// What is wrong with a value, as the end of a sentence that begins with the value: "is not a whole
/// number".
class bad_value : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A whole number >= 0 in decimal digits. Throws bad_value, also for a number beyond 64 bits or
/// below zero.
std::uint64_t parse_count(std::string_view text);

/// Bytes: a whole number and one of B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers
/// of 1024), or no unit for bytes. Throws bad_value.
std::uint64_t parse_size(std::string_view text);

/// A whole number and one of ms, s, m, h. Throws bad_value, also where the unit is left out.
std::chrono::milliseconds parse_duration(std::string_view text);

/// The shortest text that parse_size reads as `bytes`.
std::string show_size(std::uint64_t bytes);

/// The largest unit that holds `duration` >= 0 without a remainder: 120 s are 2m.
std::string show_duration(std::chrono::milliseconds duration);

} // namespace troupe
