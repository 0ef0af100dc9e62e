// The text of a line is made here; spdlog filters by level and serialises the writers.
#include "app/log.hpp"

#include "config/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <ctime>
#include <string>
#include <unistd.h>
#include <utility>

namespace troupe {
namespace {

spdlog::level::level_enum severity(log_level level) {
  switch (level) {
  case log_level::debug:
    return spdlog::level::debug;
  case log_level::info:
    return spdlog::level::info;
  case log_level::warning:
    return spdlog::level::warn;
  case log_level::error:
    return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view name_of(log_level level) {
  switch (level) {
  case log_level::debug:
    return "debug";
  case log_level::info:
    return "info";
  case log_level::warning:
    return "warning";
  case log_level::error:
    return "error";
  }
  return "error";
}

std::string_view short_name(log_level level) {
  switch (level) {
  case log_level::debug:
    return "DEBUG";
  case log_level::info:
    return "INFO";
  case log_level::warning:
    return "WARN";
  case log_level::error:
    return "ERROR";
  }
  return "ERROR";
}

/// Bare where it is one plain word, in quotes otherwise: a blank or = inside a value must not look
/// like another field.
std::string field_text(std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(" =\"\\") == std::string_view::npos;
  std::string shown = plain ? printable(text) : printable_in_quotes(text);
  return plain && shown != text ? printable_in_quotes(text) : shown;
}

std::string human_value(const log_field::any& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::string_view>)
          return field_text(held);
        else
          return fmt::format("{}", held);
      },
      value);
}

int millisecond(logger::time now) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch());
  return static_cast<int>((since.count() % 1000 + 1000) % 1000);
}

std::time_t whole_seconds(logger::time now) {
  return std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(now));
}

std::string human_line(logger::time now, log_level level, std::string_view component,
                       std::string_view message, std::span<const log_field> more) {
  std::tm local{};
  const std::time_t seconds = whole_seconds(now);
  ::localtime_r(&seconds, &local);
  std::string line = fmt::format("{:%H:%M:%S}.{:03} {:<5} {:<9} {}", local, millisecond(now),
                                 short_name(level), printable(component), printable(message));
  for (const log_field& each : more)
    line += fmt::format(" {}={}", each.name, human_value(each.value));
  return line;
}

std::string json_line(logger::time now, log_level level, std::string_view component,
                      std::string_view message, std::span<const log_field> more) {
  nlohmann::ordered_json line;
  line["time"] =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole_seconds(now)), millisecond(now));
  line["level"] = name_of(level);
  line["component"] = component;
  line["message"] = message;
  for (const log_field& each : more)
    std::visit([&](const auto& held) { line.emplace(std::string(each.name), held); }, each.value);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::shared_ptr<spdlog::logger> made_of(spdlog::sink_ptr sink, log_level level) {
  auto made = std::make_shared<spdlog::logger>("troupe", std::move(sink));
  made->set_pattern("%v");
  made->set_level(severity(level));
  made->flush_on(spdlog::level::debug);
  return made;
}

} // namespace

logger::logger(std::shared_ptr<spdlog::logger> sink, log_format format, std::function<time()> clock)
    : sink_(std::move(sink)), format_(format), clock_(std::move(clock)) {}

logger logger::to_stderr(const log_settings& chosen) {
  log_format format = chosen.format;
  if (format == log_format::automatic)
    format = ::isatty(STDERR_FILENO) == 1 ? log_format::human : log_format::json;
  return {made_of(std::make_shared<spdlog::sinks::stderr_sink_mt>(), chosen.level), format,
          std::chrono::system_clock::now};
}

logger logger::to_stream(std::ostream& out, const log_settings& chosen,
                         std::function<time()> clock) {
  const bool human = chosen.format == log_format::human;
  return {made_of(std::make_shared<spdlog::sinks::ostream_sink_mt>(out), chosen.level),
          human ? log_format::human : log_format::json, std::move(clock)};
}

void logger::debug(std::string_view component, std::string_view message, fields more) const {
  line(log_level::debug, component, message, {more.begin(), more.end()});
}
void logger::info(std::string_view component, std::string_view message, fields more) const {
  line(log_level::info, component, message, {more.begin(), more.end()});
}
void logger::warning(std::string_view component, std::string_view message, fields more) const {
  line(log_level::warning, component, message, {more.begin(), more.end()});
}
void logger::error(std::string_view component, std::string_view message, fields more) const {
  line(log_level::error, component, message, {more.begin(), more.end()});
}

bool logger::writes(log_level level) const { return sink_->should_log(severity(level)); }

void logger::line(log_level level, std::string_view component, std::string_view message,
                  std::span<const log_field> more) const {
  if (!writes(level)) return;
  const auto make = format_ == log_format::human ? human_line : json_line;
  const std::string text = make(clock_(), level, component, message, more);
  sink_->log(severity(level), spdlog::string_view_t(text));
}

} // namespace troupe
