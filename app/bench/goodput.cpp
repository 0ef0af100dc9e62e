#include "app/bench/goodput.hpp"

#include "config/quantity.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe {
namespace {

constexpr double longest = 1e9; // ms
constexpr std::size_t longest_shown = 40;

} // namespace

bool goodput_limits::hold(const request_record& record) const {
  const auto within = [](const std::optional<double>& limit, double seconds) {
    return !limit || seconds * 1000 <= *limit;
  };
  return within(ttft, record.ttft) && within(tpot, record.tpot()) && within(e2el, record.latency);
}

goodput_limits parse_goodput(std::string_view text) {
  goodput_limits out;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const std::size_t colon = part.find(':');
    const std::string_view name = part.substr(0, colon);
    std::optional<double>* const limit = name == "ttft"   ? &out.ttft
                                         : name == "tpot" ? &out.tpot
                                         : name == "e2el" ? &out.e2el
                                                          : nullptr;
    if (limit == nullptr || colon == std::string_view::npos)
      throw bad_value(fmt::format("holds {}, which is not ttft, tpot or e2el with a colon and "
                                  "milliseconds",
                                  printable_in_quotes(part, longest_shown)));
    if (*limit) throw bad_value(fmt::format("holds {} twice", name));
    const std::string_view digits = part.substr(colon + 1);
    double number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size() ||
        !(number >= 0 && number <= longest))
      throw bad_value(fmt::format("gives {} {}; it takes milliseconds from 0 to {:.0f}", name,
                                  printable_in_quotes(digits, longest_shown), longest));
    *limit = number;
  }
  return out;
}

} // namespace troupe
