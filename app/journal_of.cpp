#include "app/journal_of.hpp"

namespace troupe {

journal journal_of(const logger& log) {
  return [log](log_level level, std::string_view component, std::string_view sentence,
               const journal_values& values) {
    std::vector<log_field> fields;
    fields.reserve(values.size());
    for (const auto& [name, value] : values) fields.emplace_back(name, value);
    log.line(level, component, sentence, fields);
  };
}

} // namespace troupe
