// The parsed template. Plain data, never changed after parsing, so that many threads may render it
// at once. One struct for all expressions and one for all statements: each kind says below which
// fields it uses.
#pragma once

#include "model/template/text.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace troupe::jinja {

struct filter_entry;
struct test_entry;

/// A variable's number in the template's table of names.
using symbol = std::uint32_t;

enum class operation : std::uint8_t {
  add,
  subtract,
  multiply,
  divide,
  floor_divide,
  modulo,
  power
};
enum class comparison : std::uint8_t {
  equal,
  unequal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  not_in
};

enum class expression_kind : std::uint8_t {
  constant,    ///< literal
  name,        ///< variable
  list,        ///< operands
  tuple,       ///< operands
  dict,        ///< operands: key, value, key, value, ...
  attribute,   ///< operands[0] . text
  item,        ///< operands[0] [ operands[1] ]
  slice,       ///< operands: begin, end, step; null where left out
  call,        ///< operands[0] ( arguments )
  filter,      ///< operands[0] | filter ( arguments ); operands[0] is null in a filter block
  test,        ///< operands[0] is test ( arguments )
  conditional, ///< operands: condition, then, else or null
  logical_not,
  logical_and,
  logical_or,
  negative,
  positive,
  arithmetic, ///< operands[0] operator operands[1]
  concat,     ///< operands, joined as text
  compare     ///< operands[0] comparisons[0] operands[1] comparisons[1] ...
};

struct expression;
using expression_ptr = std::unique_ptr<expression>;

struct call_arguments {
  std::vector<expression_ptr> positional;
  std::vector<std::pair<std::string, expression_ptr>> named;
  expression_ptr more_positional; ///< *args
  expression_ptr more_named;      ///< **kwargs
};

/// monostate is none.
using literal =
    std::variant<std::monostate, bool, std::int64_t, double, std::unique_ptr<text_node>>;

struct expression {
  expression_kind kind = expression_kind::constant;
  std::uint32_t line = 1;
  std::uint32_t height = 1; ///< of the tree below; bounded, because evaluation recurses.
  symbol variable = 0;
  operation op = operation::add;
  std::string text; ///< attribute's, filter's or test's name
  literal constant;
  std::unique_ptr<text_node> text_value; ///< the attribute's name as a key
  std::vector<expression_ptr> operands;
  std::vector<comparison> comparisons;
  std::unique_ptr<call_arguments> arguments;
  const filter_entry* filter = nullptr; ///< null: no such filter, an error if it is reached
  const test_entry* test = nullptr;
};

enum class statement_kind : std::uint8_t {
  data,         ///< data
  output,       ///< value
  if_else,      ///< branches, body (the else)
  for_in,       ///< target, value, condition or null, body, otherwise
  set,          ///< target, value
  set_block,    ///< target, value (a filter chain) or null, body
  with,         ///< target (a tuple), value (a tuple), body
  macro,        ///< macro
  call_block,   ///< value (the call), macro (the caller)
  filter_block, ///< value (a filter chain), body
  group,        ///< body: {% generation %}
  break_loop,
  continue_loop
};

struct statement;

struct branch {
  expression_ptr condition;
  std::vector<statement> body;
};

struct macro_definition;

struct statement {
  statement_kind kind = statement_kind::data;
  std::uint32_t line = 1;
  bool recursive = false;
  std::unique_ptr<text_node> data;
  expression_ptr target;
  expression_ptr value;
  expression_ptr condition;
  std::vector<branch> branches;
  std::vector<statement> body;
  std::vector<statement> otherwise;
  std::unique_ptr<macro_definition> macro;
};

struct macro_parameter {
  std::string name;
  symbol variable = 0;
  expression_ptr fallback; ///< null: undefined where not given
};

struct macro_definition {
  std::string name;
  symbol variable = 0;
  std::vector<macro_parameter> parameters;
  std::vector<statement> body;
  bool takes_varargs = false; ///< the body speaks of varargs, and so on
  bool takes_kwargs = false;
  bool takes_caller = false;
};

/// Names that the engine itself sets, first in every template's table.
enum known_symbol : symbol {
  symbol_loop,
  symbol_caller,
  symbol_varargs,
  symbol_kwargs,
  known_symbols
};

struct parsed_template {
  std::vector<std::string> symbols;
  std::vector<statement> body;
};

} // namespace troupe::jinja
