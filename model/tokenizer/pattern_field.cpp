// See pattern_field.hpp.
#include "model/tokenizer/pattern_field.hpp"

#include "model/tokenizer/json_field.hpp"

#include <stdexcept>

namespace troupe {

regex read_pattern(const json_field& pattern) {
  if (const auto literal = pattern.find("String")) {
    if (literal->string().empty()) literal->refuse("is empty");
    return regex::literal(literal->string());
  }
  const auto expression = pattern.at("Regex");
  try {
    return regex(expression.string());
  } catch (const std::invalid_argument& error) {
    expression.refuse(error.what());
  }
}

} // namespace troupe
