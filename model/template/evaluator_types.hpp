// Scopes, macros and loops as values: what the evaluator hands out and the printer and the
// attribute lookup look into.
#pragma once

#include "model/template/ast.hpp"
#include "model/template/value.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace troupe::jinja {

/// Variables of a block and, through `parent`, of the blocks around it.
struct scope {
  scope* parent = nullptr;
  std::vector<std::pair<symbol, value>> variables;

  value* own(symbol name) {
    for (auto& [held, bound] : variables) {
      if (held == name) return &bound;
    }
    return nullptr;
  }
  void set(symbol name, value to) {
    if (value* found = own(name)) {
      *found = std::move(to);
    } else {
      variables.emplace_back(name, std::move(to));
    }
  }
};

/// A macro with the scope it was defined in.
struct macro_value {
  const macro_definition* definition = nullptr;
  scope* closure = nullptr;
};

/// `loop`. Items are taken one ahead only where the template asks for the next, so that a condition
/// sees what the body did.
struct loop_state {
  const statement* source = nullptr;
  scope* outer = nullptr;
  sequence* live =
      nullptr; ///< a list, which may grow while it is visited; else `items` holds everything.
  std::vector<value> items;
  std::size_t next = 0;          ///< the first item not yet looked at.
  std::vector<value> known_rest; ///< items that passed the condition already, after `ahead`.
  std::size_t known_next = 0;
  std::int64_t index0 = -1;
  std::optional<value> previous;
  std::optional<value> current;
  std::optional<value> ahead;
  std::vector<value> changed;
  bool asked_changed = false;
};

} // namespace troupe::jinja
