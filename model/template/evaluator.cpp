// Statements. Scopes live as long as the rendering, because a macro may outlive the block it was
// defined in.
#include "model/template/evaluator.hpp"

#include "model/template/operators.hpp"
#include "model/template/print.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::jinja {
namespace {

/// A scope and a few variables.
constexpr std::size_t scope_bytes = 128;

} // namespace

rendered_text evaluator::render() {
  execute(source_.body, root_);
  return std::move(out_).finish();
}

scope& evaluator::make_scope(scope* parent) {
  run_.budget.take(scope_bytes);
  return scopes_.emplace_back(scope{parent, {}});
}

evaluator::flow evaluator::execute(const std::vector<statement>& body, scope& in) {
  for (const statement& what : body) {
    const flow then = execute(what, in);
    if (then != flow::on) return then;
  }
  return flow::on;
}

evaluator::flow evaluator::execute(const statement& what, scope& in) {
  const nested level(run_.budget);
  run_.budget.step();
  line_ = what.line;
  switch (what.kind) {
  case statement_kind::data:
    out_.append(what.data->bytes);
    break;
  case statement_kind::output:
    out_.append(to_text(run_, evaluate(*what.value, in)));
    break;
  case statement_kind::if_else:
    return execute_if(what, in);
  case statement_kind::for_in:
    execute_for(what, in);
    break;
  case statement_kind::set:
    assign(*what.target, evaluate(*what.value, in), in);
    break;
  case statement_kind::set_block: {
    value made = capture(what.body, make_scope(&in));
    if (what.value) made = evaluate_filter(*what.value, in, &made);
    assign(*what.target, std::move(made), in);
    break;
  }
  case statement_kind::with:
    execute_with(what, in);
    break;
  case statement_kind::macro:
    run_.budget.take(sizeof(macro_value));
    in.set(what.macro->variable, &macros_.emplace_back(macro_value{what.macro.get(), &in}));
    break;
  case statement_kind::call_block:
    execute_call_block(what, in);
    break;
  case statement_kind::filter_block: {
    const value made = capture(what.body, make_scope(&in));
    out_.append(to_text(run_, evaluate_filter(*what.value, in, &made)));
    break;
  }
  case statement_kind::group:
    return execute(what.body, make_scope(&in));
  case statement_kind::break_loop:
    return flow::break_loop;
  case statement_kind::continue_loop:
    return flow::continue_loop;
  }
  return flow::on;
}

evaluator::flow evaluator::execute_if(const statement& what, scope& in) {
  for (const branch& taken : what.branches) {
    if (truth(evaluate(*taken.condition, in))) return execute(taken.body, in);
  }
  return execute(what.body, in);
}

void evaluator::execute_for(const statement& what, scope& in) {
  const value from = evaluate(*what.value, in);
  run_.budget.take(sizeof(loop_state));
  loop_state& loop = loops_.emplace_back();
  loop.source = &what;
  loop.outer = &in;
  sequence* list = as_sequence(from);
  if (list && list->form == sequence_form::list) {
    loop.live = list;
  } else {
    loop.items = items_of(run_, from);
  }
  scope& inside = make_scope(&in);
  while (advance(loop)) {
    run_.budget.step();
    inside.variables.clear();
    assign(*what.target, *loop.current, inside);
    inside.set(symbol_loop, &loop);
    if (execute(what.body, inside) == flow::break_loop) break;
  }
  if (loop.index0 < 0) execute(what.otherwise, make_scope(&in));
  loop.items.clear();
}

void evaluator::execute_with(const statement& what, scope& in) {
  scope& inside = make_scope(&in);
  std::vector<value> values = evaluate_all(what.value->operands, in);
  for (std::size_t i = 0; i < values.size(); ++i)
    assign(*what.target->operands[i], std::move(values[i]), inside);
  execute(what.body, inside);
}

void evaluator::execute_call_block(const statement& what, scope& in) {
  run_.budget.take(sizeof(macro_value));
  const value caller = &macros_.emplace_back(macro_value{what.macro.get(), &in});
  out_.append(to_text(run_, evaluate_call(*what.value, in, &caller)));
}

text evaluator::capture(const std::vector<statement>& body, scope& in) {
  const nested level(run_.budget);
  text_builder outer = std::exchange(out_, text_builder(run_.budget));
  execute(body, in);
  return std::exchange(out_, std::move(outer)).build();
}

void evaluator::assign(const expression& target, value to, scope& in) {
  if (target.kind == expression_kind::name) {
    in.set(target.variable, std::move(to));
    return;
  }
  if (target.kind == expression_kind::attribute) {
    const value owner = evaluate(*target.operands[0], in);
    const auto* made = std::get_if<space*>(&owner);
    if (!made)
      throw fault(
          "only attributes of a namespace() can be set; make one with {% set ns = namespace() %}");
    run_.grow();
    (*made)->attributes.set(run_.make(target.text), std::move(to));
    return;
  }
  const std::vector<value> parts = items_of(run_, to);
  if (parts.size() != target.operands.size()) {
    throw fault(
        fmt::format("{} values cannot be put into {} names", parts.size(), target.operands.size()));
  }
  for (std::size_t i = 0; i < parts.size(); ++i) assign(*target.operands[i], parts[i], in);
}

} // namespace troupe::jinja
