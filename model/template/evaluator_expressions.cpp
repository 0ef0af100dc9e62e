// Expressions. Each evaluation costs a step and a level of depth, so neither a loop nor a recursion
// can run away.
#include "model/template/access.hpp"
#include "model/template/evaluator.hpp"
#include "model/template/filters.hpp"
#include "model/template/operators.hpp"
#include "model/template/print.hpp"
#include "model/template/tests.hpp"

#include <fmt/format.h>

namespace troupe::jinja {

value evaluator::evaluate(const expression& node, scope& in) {
  const nested level(run_.budget);
  run_.budget.step();
  line_ = node.line;
  switch (node.kind) {
  case expression_kind::constant:
    return evaluate_constant(node);
  case expression_kind::name:
    return evaluate_name(node, in);
  case expression_kind::list:
    return run_.make_list(evaluate_all(node.operands, in));
  case expression_kind::tuple:
    return run_.make_tuple(evaluate_all(node.operands, in));
  case expression_kind::dict:
    return evaluate_dict(node, in);
  case expression_kind::attribute:
    return evaluate_attribute(node, in);
  case expression_kind::item:
    return evaluate_item(node, in);
  case expression_kind::slice:
    throw fault("a slice stands alone in its brackets");
  case expression_kind::call:
    return evaluate_call(node, in);
  case expression_kind::filter:
    return evaluate_filter(node, in, nullptr);
  case expression_kind::test:
    return evaluate_test(node, in);
  case expression_kind::conditional: {
    const std::size_t chosen = truth(evaluate(*node.operands[0], in)) ? 1 : 2;
    return node.operands[chosen] ? evaluate(*node.operands[chosen], in) : value(undefined{});
  }
  case expression_kind::logical_not:
    return !truth(evaluate(*node.operands[0], in));
  case expression_kind::logical_and:
  case expression_kind::logical_or: {
    value left = evaluate(*node.operands[0], in);
    const bool decided = truth(left) == (node.kind == expression_kind::logical_or);
    return decided ? left : evaluate(*node.operands[1], in);
  }
  case expression_kind::negative:
  case expression_kind::positive:
    return negate(evaluate(*node.operands[0], in), node.kind == expression_kind::negative);
  case expression_kind::arithmetic: {
    const value left = evaluate(*node.operands[0], in);
    const value right = evaluate(*node.operands[1], in);
    line_ = node.line;
    return arithmetic(run_, node.op, left, right);
  }
  case expression_kind::concat:
    return evaluate_concat(node, in);
  case expression_kind::compare:
    return evaluate_compare(node, in);
  }
  return undefined{};
}

std::vector<value> evaluator::evaluate_all(const std::vector<expression_ptr>& nodes, scope& in) {
  std::vector<value> made;
  made.reserve(nodes.size());
  for (const expression_ptr& node : nodes) made.push_back(evaluate(*node, in));
  return made;
}

value evaluator::evaluate_constant(const expression& node) const {
  if (const auto* flag = std::get_if<bool>(&node.constant)) return *flag;
  if (const auto* whole = std::get_if<std::int64_t>(&node.constant)) return *whole;
  if (const auto* real = std::get_if<double>(&node.constant)) return *real;
  if (const auto* written = std::get_if<std::unique_ptr<text_node>>(&node.constant))
    return text::borrowed(**written);
  return none{};
}

value evaluator::evaluate_name(const expression& node, scope& in) const {
  for (scope* at = &in; at; at = at->parent) {
    if (const value* found = at->own(node.variable)) return *found;
  }
  return undefined{&node.text};
}

value evaluator::evaluate_dict(const expression& node, scope& in) {
  dict* made = run_.make_dict();
  for (std::size_t i = 0; i < node.operands.size(); i += 2) {
    const value key = evaluate(*node.operands[i], in);
    if (as_dict(key) || (as_sequence(key) && as_sequence(key)->form == sequence_form::list)) {
      throw fault(fmt::format("a {} cannot be a key; use a text", type_name(key)));
    }
    run_.grow();
    made->set(key, evaluate(*node.operands[i + 1], in));
  }
  return made;
}

value evaluator::evaluate_attribute(const expression& node, scope& in) {
  const value of = evaluate(*node.operands[0], in);
  line_ = node.line;
  if (const auto* loop = std::get_if<loop_state*>(&of)) return loop_attribute(**loop, node);
  return get_attribute(run_, of, text::borrowed(*node.text_value), node.text);
}

value evaluator::evaluate_item(const expression& node, scope& in) {
  const value of = evaluate(*node.operands[0], in);
  const expression& key = *node.operands[1];
  if (key.kind == expression_kind::slice) {
    const auto part = [&](std::size_t i) {
      return key.operands[i] ? evaluate(*key.operands[i], in) : value(none{});
    };
    const value begin = part(0);
    const value end = part(1);
    const value step = part(2);
    line_ = node.line;
    return get_slice(run_, of, begin, end, step);
  }
  const value at = evaluate(key, in);
  line_ = node.line;
  value found = get_item(run_, of, at);
  if (is_undefined(found) && key.kind == expression_kind::constant && as_text(at)) {
    return undefined{&std::get<std::unique_ptr<text_node>>(key.constant)->bytes};
  }
  return found;
}

value evaluator::evaluate_compare(const expression& node, scope& in) {
  value left = evaluate(*node.operands[0], in);
  for (std::size_t i = 0; i < node.comparisons.size(); ++i) {
    value right = evaluate(*node.operands[i + 1], in);
    line_ = node.line;
    if (!compare(run_, node.comparisons[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

value evaluator::evaluate_concat(const expression& node, scope& in) {
  text_builder made(run_.budget);
  for (const value& part : evaluate_all(node.operands, in)) made.append(to_text(run_, part));
  return std::move(made).build();
}

value evaluator::evaluate_filter(const expression& node, scope& in, const value* piped) {
  value self;
  if (node.operands[0]) {
    self = node.operands[0]->kind == expression_kind::filter
               ? evaluate_filter(*node.operands[0], in, piped)
               : evaluate(*node.operands[0], in);
  } else {
    self = *piped;
  }
  const arguments given = evaluate_arguments(*node.arguments, in);
  line_ = node.line;
  if (!node.filter)
    throw fault(fmt::format("there is no filter \"{}\"; remove it or use another", node.text));
  run_.budget.step();
  return node.filter->run(run_, self, given);
}

value evaluator::evaluate_test(const expression& node, scope& in) {
  const value self = evaluate(*node.operands[0], in);
  const arguments given = evaluate_arguments(*node.arguments, in);
  line_ = node.line;
  if (!node.test)
    throw fault(fmt::format("there is no test \"{}\"; remove it or use another", node.text));
  return node.test->run(run_, self, given);
}

} // namespace troupe::jinja
