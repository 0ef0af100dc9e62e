// The messages of exhausted limits, out of line to keep the checks small where they are inlined.
#include "model/template/budget.hpp"

#include <fmt/format.h>

namespace troupe::jinja {

void render_budget::fail_steps() const {
  throw fault(fmt::format(
      "more than {} steps; shorten the conversation or raise the limit on steps", limits_.steps));
}

void render_budget::fail_memory() const {
  throw fault(fmt::format(
      "more than {} bytes of values; shorten the conversation or raise the limit on output bytes",
      limits_.output_bytes * 16));
}

void render_budget::fail_text() const {
  throw fault(fmt::format(
      "a text of more than {} bytes; shorten the conversation or raise the limit on output bytes",
      limits_.output_bytes));
}

void render_budget::fail_depth() const {
  throw fault(fmt::format(
      "nested too deeply for a nesting limit of {}; look for a macro that calls itself without end",
      limits_.nesting));
}

} // namespace troupe::jinja
