// What the simulation throws when something that must always hold does not.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace troupe {

/// `rule` names what was broken, in a few words that never change; the message says how.
class violation : public std::runtime_error {
 public:
  violation(std::string rule, const std::string& how)
      : std::runtime_error{fmt::format("{}: {}", rule, how)}, rule_{std::move(rule)} {}
  const std::string& rule() const { return rule_; }

 private:
  std::string rule_;
};

template <class... Args>
void require(bool holds, const char* rule, fmt::format_string<Args...> how, Args&&... args) {
  if (!holds) throw violation{rule, fmt::format(how, std::forward<Args>(args)...)};
}

} // namespace troupe
