// One line for each thing worth telling, for people on a terminal or as JSON for machines. A logger
// is a handle that is handed to whoever writes: copies write to the same place. Whatever a client
// sent can stand in a field: it is escaped, so that it cannot end the line or look like another
// one.
#pragma once

#include "config/settings.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace spdlog {
class logger;
}

namespace troupe {

/// A named value at the end of a line. It lives as long as the call that it is written in. Names
/// come from the program: plain words, not time, level, component or message.
struct log_field {
  using any = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;

  log_field(std::string_view named, bool held) : name(named), value(held) {}
  template <std::signed_integral Number>
  log_field(std::string_view named, Number held)
      : name(named), value(static_cast<std::int64_t>(held)) {}
  template <std::unsigned_integral Number>
  log_field(std::string_view named, Number held)
      : name(named), value(static_cast<std::uint64_t>(held)) {}
  log_field(std::string_view named, double held) : name(named), value(held) {}
  log_field(std::string_view named, std::string_view held) : name(named), value(held) {}
  log_field(std::string_view named, const char* held)
      : name(named), value(std::string_view(held)) {}
  log_field(std::string_view named, const std::string& held)
      : name(named), value(std::string_view(held)) {}

  std::string_view name;
  any value;
};

class logger {
 public:
  using time = std::chrono::system_clock::time_point;
  using fields = std::initializer_list<log_field>;

  /// Writes to standard error. Format automatic is human where that is a terminal, else json.
  static logger to_stderr(const log_settings& chosen);

  /// Writes to `out`, which outlives all copies; `clock` gives the time of each line. Format
  /// automatic is json.
  static logger to_stream(std::ostream& out, const log_settings& chosen,
                          std::function<time()> clock = std::chrono::system_clock::now);

  /// `component` is who speaks: "engine", "http". `message` is a sentence without values; those are
  /// fields.
  void debug(std::string_view component, std::string_view message, fields more = {}) const;
  void info(std::string_view component, std::string_view message, fields more = {}) const;
  void warning(std::string_view component, std::string_view message, fields more = {}) const;
  void error(std::string_view component, std::string_view message, fields more = {}) const;

  /// The same, for fields that are put together at run time.
  void line(log_level level, std::string_view component, std::string_view message,
            std::span<const log_field> more) const;

  /// True where a line of this level would be written: to save making an expensive field.
  bool writes(log_level level) const;

 private:
  logger(std::shared_ptr<spdlog::logger> sink, log_format format, std::function<time()> clock);

  std::shared_ptr<spdlog::logger> sink_;
  log_format format_;
  std::function<time()> clock_;
};

} // namespace troupe
