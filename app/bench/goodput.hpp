// Limits that an answer must keep to count as good.
#pragma once

#include "app/bench/answer_reader.hpp"

#include <optional>
#include <string_view>

namespace troupe {

/// Each in milliseconds.
struct goodput_limits {
  std::optional<double> ttft;
  std::optional<double> tpot;
  std::optional<double> e2el;

  bool any() const { return ttft || tpot || e2el; }
  /// Whether an answer that is whole keeps them all.
  bool hold(const request_record& record) const;
  bool operator==(const goodput_limits&) const = default;
};

/// Reads "ttft:500,tpot:30,e2el:10000"; empty: no limits. Throws bad_value.
goodput_limits parse_goodput(std::string_view text);

} // namespace troupe
