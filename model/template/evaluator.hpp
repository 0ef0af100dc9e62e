// Walks the syntax tree. One evaluator serves one rendering on one thread; the tree it walks is
// shared and never changed.
#pragma once

#include "model/template/ast.hpp"
#include "model/template/evaluator_types.hpp"
#include "model/template/runtime.hpp"

#include <deque>
#include <vector>

namespace troupe::jinja {

class evaluator {
 public:
  evaluator(runtime& run, const parsed_template& source)
      : run_(run), source_(source), out_(run.budget) {}

  /// Variables by symbol; those not set are undefined.
  void set_global(symbol name, value to) { root_.set(name, std::move(to)); }
  rendered_text render();
  /// Where the last evaluated node stands, for messages.
  std::uint32_t line() const { return line_; }

 private:
  enum class flow : std::uint8_t { on, break_loop, continue_loop };

  // statements, evaluator.cpp
  flow execute(const std::vector<statement>& body, scope& in);
  flow execute(const statement& what, scope& in);
  flow execute_if(const statement& what, scope& in);
  void execute_for(const statement& what, scope& in);
  void execute_with(const statement& what, scope& in);
  void execute_call_block(const statement& what, scope& in);
  text capture(const std::vector<statement>& body, scope& in);
  void assign(const expression& target, value to, scope& in);
  scope& make_scope(scope* parent);

  // loops, evaluator_loops.cpp
  bool look_ahead(loop_state& loop);
  bool advance(loop_state& loop);
  std::size_t loop_length(loop_state& loop);
  value loop_attribute(loop_state& loop, const expression& node);

  // expressions, evaluator_expressions.cpp
  value evaluate(const expression& node, scope& in);
  value evaluate_constant(const expression& node) const;
  value evaluate_name(const expression& node, scope& in) const;
  value evaluate_dict(const expression& node, scope& in);
  value evaluate_attribute(const expression& node, scope& in);
  value evaluate_item(const expression& node, scope& in);
  value evaluate_compare(const expression& node, scope& in);
  value evaluate_concat(const expression& node, scope& in);
  value evaluate_filter(const expression& node, scope& in, const value* piped);
  value evaluate_test(const expression& node, scope& in);
  std::vector<value> evaluate_all(const std::vector<expression_ptr>& nodes, scope& in);

  // calls, evaluator_calls.cpp
  arguments evaluate_arguments(const call_arguments& given, scope& in);
  value evaluate_call(const expression& node, scope& in, const value* caller = nullptr);
  value call_loop_method(loop_state& loop, const std::string& name, const arguments& given);
  text call_macro(const macro_value& macro, arguments given);

  runtime& run_;
  const parsed_template& source_;
  text_builder out_;
  scope root_;
  std::deque<scope> scopes_;
  std::deque<macro_value> macros_;
  std::deque<loop_state> loops_;
  std::uint32_t line_ = 1;
};

} // namespace troupe::jinja
