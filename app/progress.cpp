// Rate and remaining time come from the mean of the stage so far: steadier to read than the last
// moment's.
#include "app/progress.hpp"

#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr std::chrono::milliseconds redraw{100};
constexpr std::size_t bar_cells = 24;

std::string readable(double bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1023.5 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 || bytes >= 99.95 ? 0 : 1, units[unit]);
}

std::string readable_amount(const progress_state& state, double amount) {
  return state.unit.empty() ? readable(amount) : fmt::format("{:.0f}", amount);
}

std::string readable_rate(const progress_state& state, double rate) {
  return state.unit.empty() ? readable(rate) : fmt::format("{:.{}f}", rate, rate < 99.95 ? 1 : 0);
}

std::string readable_time(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
}

double rate_of(const progress_state& state) {
  const double seconds = std::chrono::duration<double>(state.elapsed).count();
  return seconds > 0 ? static_cast<double>(state.done) / seconds : 0;
}

std::string bar(double fraction) {
  const auto full = static_cast<std::size_t>(fraction * bar_cells);
  return "[" + std::string(full, '#') + std::string(bar_cells - full, '-') + "]";
}

} // namespace

std::string progress_text(const progress_state& state, std::size_t columns) {
  std::vector<std::string> parts{printable(state.stage)};
  if (parts[0].size() > columns)
    parts[0] = printable(state.stage, std::max<std::size_t>(columns, 2) - 1);
  const auto done = static_cast<double>(state.done);
  const double rate = rate_of(state);
  if (state.total > 0) {
    const double fraction = std::min(1.0, done / static_cast<double>(state.total));
    parts.push_back(bar(fraction));
    parts.push_back(fmt::format("{:3}%", static_cast<int>(fraction * 100)));
    parts.push_back(fmt::format("{} of {}{}{}", readable_amount(state, done),
                                readable_amount(state, static_cast<double>(state.total)),
                                state.unit.empty() ? "" : " ", state.unit));
  } else if (state.done > 0) {
    parts.push_back(readable_amount(state, done));
  }
  if (rate > 0) parts.push_back(readable_rate(state, rate) + "/s");
  if (rate > 0 && state.total > state.done)
    parts.push_back(readable_time(static_cast<double>(state.total - state.done) / rate) + " left");
  std::string line = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (line.size() + 2 + parts[i].size() > columns) break;
    line += "  " + parts[i];
  }
  return line;
}

progress progress::on_terminal(std::ostream& out, std::size_t columns) {
  const auto draw = [&out, columns](const progress_state& state, bool ended) {
    // Back to the line's start, the text, and away with what a longer text left behind it.
    out << '\r' << progress_text(state, columns) << "\x1b[K" << (ended ? "\n" : "") << std::flush;
  };
  return {draw, true};
}

progress progress::to_log(const logger& log) {
  const auto write = [log](const progress_state& state, bool) {
    log.info("load", "stage done",
             {{"stage", state.stage},
              {"bytes", state.done},
              {"seconds", std::chrono::duration<double>(state.elapsed).count()}});
  };
  return {write, false};
}

void progress::begin(std::string stage, std::uint64_t total, time now, std::string unit) {
  finish(now);
  state_ = {std::move(stage), 0, total, std::chrono::milliseconds(0), std::move(unit)};
  began_ = now;
  drawn_ = now;
  running_ = true;
  if (every_step_) show_(state_, false);
}

void progress::advance(std::uint64_t done, time now) {
  if (!running_) return;
  state_.done = state_.total > 0 ? std::min(done, state_.total) : done;
  state_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
  if (!every_step_ || now - drawn_ < redraw) return;
  drawn_ = now;
  show_(state_, false);
}

void progress::finish(time now) {
  if (!running_) return;
  state_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_);
  running_ = false;
  show_(state_, true);
}

} // namespace troupe
