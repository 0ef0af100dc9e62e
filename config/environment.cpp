// Settings from TROUPE_* variables, named like the keys of a file: TROUPE_ENGINE_MAX_SEQUENCES is
// engine.max_sequences.
#include "config/nearest.hpp"
#include "config/sources.hpp"
#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {
namespace {

constexpr std::string_view prefix = "TROUPE_";

/// True for what Kubernetes puts into a container's environment for each service: X_SERVICE_HOST,
/// X_SERVICE_PORT…, X_PORT=tcp://… and X_PORT_80_TCP…. A service called troupe must not keep the
/// program from starting.
bool is_service_link(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != std::string_view::npos)
    return true;
  const bool address =
      value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://");
  if (name.ends_with("_PORT") && address) return true;
  const std::size_t port = name.find("_PORT_");
  if (port == std::string_view::npos) return false;
  const std::string_view rest = name.substr(port + 6);
  const std::size_t digits = rest.find_first_not_of("0123456789");
  return digits != 0 && digits != std::string_view::npos &&
         (rest.substr(digits).starts_with("_TCP") || rest.substr(digits).starts_with("_UDP") ||
          rest.substr(digits).starts_with("_SCTP"));
}

std::vector<spelling> known_variables(const std::vector<option>& options) {
  std::vector<spelling> known{{std::string(file_variable), std::string(file_variable)}};
  for (const option& each : options) known.push_back({each.variable(), each.variable()});
  return known;
}

/// The variable of the option whose name alone `variable` has: TROUPE_PORT for TROUPE_SERVER_PORT.
std::string without_group(const std::vector<option>& options, std::string_view variable) {
  const std::string_view rest = variable.substr(prefix.size());
  for (const option& each : options) {
    const std::string full = each.variable();
    if (std::string_view(full).substr(prefix.size() + each.group.size() + 1) == rest) return full;
  }
  return {};
}

} // namespace

void read_environment(settings_builder& to, const environment_variables& variables) {
  for (const auto& [name, value] : variables) {
    if (!name.starts_with(prefix) || name == file_variable || is_service_link(name, value))
      continue;
    const auto found = std::find_if(to.options().begin(), to.options().end(),
                                    [&](const option& each) { return each.variable() == name; });
    if (found != to.options().end()) {
      to.set_text(found->key(), value, {setting_source::environment, name});
      continue;
    }
    const std::string sibling = without_group(to.options(), name);
    const std::string hint = sibling.empty() ? suggestion(name, known_variables(to.options()))
                                             : "; did you mean " + sibling + "?";
    to.refuse(fmt::format("{}: is not an option{}", printable(name, 80), hint));
  }
}

} // namespace troupe
