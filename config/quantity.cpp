// Reading and writing of sizes and durations: one table of units each, used in both directions.
#include "config/quantity.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace troupe {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

// Within each table the order is that of preference for showing: the first that leaves no
// remainder.
constexpr std::array size_units{unit{"TiB", 1ULL << 40},
                                unit{"GiB", 1ULL << 30},
                                unit{"MiB", 1ULL << 20},
                                unit{"KiB", 1ULL << 10},
                                unit{"TB", 1'000'000'000'000ULL},
                                unit{"GB", 1'000'000'000ULL},
                                unit{"MB", 1'000'000ULL},
                                unit{"KB", 1'000ULL},
                                unit{"B", 1ULL},
                                unit{"", 1ULL}};
constexpr std::array duration_units{unit{"h", 3'600'000ULL}, unit{"m", 60'000ULL},
                                    unit{"s", 1'000ULL}, unit{"ms", 1ULL}};

constexpr std::string_view too_large = "is out of range";

/// The number that begins `text`; what follows it, without blanks, is left in `text`.
std::uint64_t take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) throw bad_value(std::string(too_large));
  if (error != std::errc{}) throw bad_value("does not begin with a whole number");
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (text.starts_with(' ')) text.remove_prefix(1);
  return number;
}

std::uint64_t parse_with_unit(std::string_view text, std::span<const unit> units,
                              std::string_view known) {
  if (text.starts_with('-')) throw bad_value(std::string(too_large));
  const std::uint64_t number = take_number(text);
  for (const unit& candidate : units) {
    if (candidate.name != text) continue;
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(number, candidate.factor, &product))
      throw bad_value(std::string(too_large));
    return product;
  }
  if (text.empty()) throw bad_value(fmt::format("has no unit ({})", known));
  if (text.starts_with('.')) throw bad_value("is not a whole number with a unit");
  throw bad_value(fmt::format("has an unknown unit (known are {})", known));
}

std::string show_with_unit(std::uint64_t number, std::span<const unit> units,
                           std::string_view zero) {
  if (number == 0) return std::string(zero);
  for (const unit& candidate : units)
    if (number % candidate.factor == 0)
      return fmt::format("{}{}", number / candidate.factor, candidate.name);
  return std::to_string(number);
}

} // namespace

std::uint64_t parse_count(std::string_view text) {
  constexpr auto digits = "0123456789";
  const bool negative = text.starts_with('-');
  const std::string_view magnitude = negative ? text.substr(1) : text;
  if (magnitude.empty() || magnitude.find_first_not_of(digits) != std::string_view::npos)
    throw bad_value("is not a whole number");
  if (negative) throw bad_value(std::string(too_large));
  std::string_view rest = text;
  return take_number(rest);
}

std::uint64_t parse_size(std::string_view text) {
  return parse_with_unit(text, size_units, "B, KB, MB, GB, TB, KiB, MiB, GiB, TiB");
}

std::chrono::milliseconds parse_duration(std::string_view text) {
  const std::uint64_t count = parse_with_unit(text, duration_units, "ms, s, m, h");
  if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    throw bad_value(std::string(too_large));
  return std::chrono::milliseconds(static_cast<std::int64_t>(count));
}

std::string show_size(std::uint64_t bytes) {
  // Plain bytes read better without their unit, which is why B is left to those who write it.
  return show_with_unit(bytes, std::span(size_units).first(8), "0");
}

std::string show_duration(std::chrono::milliseconds duration) {
  return show_with_unit(static_cast<std::uint64_t>(duration.count()), duration_units, "0s");
}

} // namespace troupe
