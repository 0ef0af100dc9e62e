#include "app/bench/trace.hpp"

#include "config/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <istream>
#include <stdexcept>
#include <string_view>

namespace troupe {
namespace {

constexpr std::uint32_t longest_request = 1U << 24U; // tokens
constexpr std::size_t most_requests = 10'000'000;
constexpr std::size_t longest_line = 1U << 24U; // bytes
constexpr double latest = 1e9;                  // seconds
constexpr std::size_t longest_shown = 40;

/// What is wrong with a line, told with where it stands.
class line_reader {
 public:
  line_reader(std::istream& from, const std::string& name) : from_(from), name_(name) {}

  /// False at the end. Lines without text are passed over.
  bool next(std::string& line) {
    while (std::getline(from_, line)) {
      ++number_;
      if (line.size() > longest_line) refuse(fmt::format("is longer than {} bytes", longest_line));
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!line.empty()) return true;
    }
    if (from_.bad()) throw std::runtime_error(fmt::format("{}: cannot be read", name_));
    return false;
  }

  [[noreturn]] void refuse(const std::string& problem) const {
    throw std::runtime_error(fmt::format("{}:{}: {}", name_, number_, problem));
  }

  std::uint32_t length(std::string_view field, std::uint64_t value) const {
    if (value > longest_request)
      refuse(fmt::format("{} is {}; the most is {}", field, value, longest_request));
    return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(value));
  }

 private:
  std::istream& from_;
  std::string name_;
  std::size_t number_ = 0;
};

std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t comma = line.find(',');
    out.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    line.remove_prefix(comma + 1);
  }
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

/// Seconds since 1970 of "2023-11-16 18:15:46.6805900"; a time zone, which is the same throughout a
/// trace, is passed over. False: it is not of this form.
bool read_time(std::string_view text, double& out) {
  constexpr std::string_view form = "dddd-dd-dd dd:dd:dd";
  if (text.size() < form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == 'd' ? !digit : text[i] != form[i] && !(form[i] == ' ' && text[i] == 'T'))
      return false;
  }
  const auto part = [&](std::size_t at, std::size_t size) {
    int number = 0;
    read_number(text.substr(at, size), number);
    return number;
  };
  const std::chrono::year_month_day day{std::chrono::year(part(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  if (!day.ok()) return false;
  double fraction = 0;
  if (text.size() > form.size() && text[form.size()] == '.') {
    const std::size_t end = text.find_first_not_of("0123456789", form.size() + 1);
    const std::string digits = "0" + std::string(text.substr(form.size(), end - form.size()));
    if (!read_number(std::string_view(digits), fraction)) return false;
  }
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  out = 86400.0 * static_cast<double>(days) + 3600.0 * part(11, 2) + 60.0 * part(14, 2) +
        part(17, 2) + fraction;
  return true;
}

/// Where the columns stand that are read.
struct azure_columns {
  std::size_t time = 0;
  std::size_t input = 0;
  std::size_t output = 0;
};

azure_columns find_columns(const line_reader& lines, std::string_view heading) {
  const auto names = columns_of(heading);
  const auto at = [&](std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      lines.refuse(fmt::format("{} has no column {}; a trace begins with TIMESTAMP,ContextTokens,"
                               "GeneratedTokens or with a JSON object",
                               printable_in_quotes(heading, longest_shown), name));
    return static_cast<std::size_t>(found - names.begin());
  };
  return {at("TIMESTAMP"), at("ContextTokens"), at("GeneratedTokens")};
}

traced_request read_azure(const line_reader& lines, std::string_view line,
                          const azure_columns& where) {
  const auto columns = columns_of(line);
  if (columns.size() <= std::max({where.time, where.input, where.output}))
    lines.refuse(fmt::format("has {} columns, and too few", columns.size()));
  traced_request out;
  if (!read_time(columns[where.time], out.at))
    lines.refuse(fmt::format("TIMESTAMP is {}; it takes a time like 2023-11-16 18:15:46.68",
                             printable_in_quotes(columns[where.time], longest_shown)));
  const auto length = [&](std::string_view name, std::string_view text) {
    std::uint64_t value = 0;
    if (!read_number(text, value))
      lines.refuse(fmt::format("{} is {}; it takes 0 to {}", name,
                               printable_in_quotes(text, longest_shown), longest_request));
    return lines.length(name, value);
  };
  out.input = length("ContextTokens", columns[where.input]);
  out.output = length("GeneratedTokens", columns[where.output]);
  return out;
}

traced_request read_mooncake(const line_reader& lines, const std::string& line) {
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object()) lines.refuse("is not a JSON object");
  const auto field = [&](const char* name) -> const nlohmann::json& {
    const auto found = object.find(name);
    if (found == object.end()) lines.refuse(fmt::format("has no {}", name));
    return *found;
  };
  const auto length = [&](const char* name) {
    const auto& value = field(name);
    if (!value.is_number_unsigned())
      lines.refuse(fmt::format("{} takes 0 to {}", name, longest_request));
    return lines.length(name, value.get<std::uint64_t>());
  };
  traced_request out;
  const auto& time = field("timestamp");
  if (!time.is_number() || !(time.get<double>() >= 0 && time.get<double>() <= latest * 1000))
    lines.refuse("timestamp takes milliseconds from 0 on");
  out.at = time.get<double>() / 1000;
  out.input = length("input_length");
  out.output = length("output_length");
  if (!object.contains("hash_ids")) return out;
  const auto& blocks = field("hash_ids");
  const std::size_t wanted = (out.input + trace_block_tokens - 1) / trace_block_tokens;
  if (!blocks.is_array() || blocks.size() != wanted)
    lines.refuse(fmt::format("hash_ids takes one number for each {} tokens of input_length, {}",
                             trace_block_tokens, wanted));
  for (const auto& each : blocks) {
    if (!each.is_number_unsigned()) lines.refuse("hash_ids takes numbers from 0 on");
    out.blocks.push_back(each.get<std::uint64_t>());
  }
  return out;
}

} // namespace

trace read_trace(std::istream& from, const std::string& name) {
  line_reader lines(from, name);
  trace out;
  std::string line;
  if (!lines.next(line)) throw std::runtime_error(fmt::format("{}: holds no requests", name));
  const bool mooncake = line.front() == '{';
  azure_columns columns;
  if (mooncake)
    out.requests.push_back(read_mooncake(lines, line));
  else
    columns = find_columns(lines, line);
  while (lines.next(line)) {
    if (out.requests.size() == most_requests)
      lines.refuse(fmt::format("is one request too many; {} are the most", most_requests));
    out.requests.push_back(mooncake ? read_mooncake(lines, line)
                                    : read_azure(lines, line, columns));
  }
  if (out.requests.empty()) throw std::runtime_error(fmt::format("{}: holds no requests", name));
  std::stable_sort(out.requests.begin(), out.requests.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  const double begin = out.requests.front().at;
  for (traced_request& each : out.requests) each.at -= begin;
  return out;
}

} // namespace troupe
