// Calls: of global functions and methods, of macros with Jinja's rules for arguments, and of the
// two methods of `loop`.
#include "model/template/evaluator.hpp"
#include "model/template/operators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::jinja {

arguments evaluator::evaluate_arguments(const call_arguments& given, scope& in) {
  arguments made;
  made.positional = evaluate_all(given.positional, in);
  for (const auto& [name, node] : given.named) made.named.emplace_back(name, evaluate(*node, in));
  if (given.more_positional) {
    for (value& item : items_of(run_, evaluate(*given.more_positional, in)))
      made.positional.push_back(std::move(item));
  }
  if (given.more_named) {
    const value more = evaluate(*given.more_named, in);
    const dict* entries = as_dict(more);
    if (!entries) throw fault("** needs a dict");
    for (const auto& [key, held] : entries->entries()) {
      if (!as_text(key)) throw fault("** needs a dict whose keys are texts");
      made.named.emplace_back(std::string(as_text(key)->view()), held);
    }
  }
  return made;
}

value evaluator::evaluate_call(const expression& node, scope& in, const value* caller) {
  const expression& target = *node.operands[0];
  if (target.kind == expression_kind::attribute &&
      (target.text == "cycle" || target.text == "changed")) {
    const value owner = evaluate(*target.operands[0], in);
    if (const auto* loop = std::get_if<loop_state*>(&owner)) {
      return call_loop_method(**loop, target.text, evaluate_arguments(*node.arguments, in));
    }
  }
  const value callee = evaluate(target, in);
  arguments given = evaluate_arguments(*node.arguments, in);
  if (caller) given.named.emplace_back("caller", *caller);
  line_ = node.line;
  if (const auto* found = std::get_if<function*>(&callee))
    return (*found)->run(run_, (*found)->self, given);
  if (const auto* macro = std::get_if<macro_value*>(&callee))
    return call_macro(**macro, std::move(given));
  if (is_undefined(callee)) fail_undefined(callee);
  throw fault(fmt::format("a {} cannot be called; call a macro or a method", type_name(callee)));
}

value evaluator::call_loop_method(loop_state& loop, const std::string& name,
                                  const arguments& given) {
  if (!given.named.empty()) throw fault(fmt::format("loop.{} takes no named arguments", name));
  if (name == "cycle") {
    if (given.positional.empty()) throw fault("loop.cycle needs values to take in turn");
    return given.positional[static_cast<std::size_t>(loop.index0) % given.positional.size()];
  }
  const bool same =
      loop.asked_changed && loop.changed.size() == given.positional.size() &&
      std::equal(loop.changed.begin(), loop.changed.end(), given.positional.begin(),
                 [&](const value& a, const value& b) { return equal(run_.budget, a, b); });
  loop.asked_changed = true;
  loop.changed = given.positional;
  return !same;
}

text evaluator::call_macro(const macro_value& macro, arguments given) {
  const nested level(run_.budget);
  const macro_definition& definition = *macro.definition;
  scope& inside = make_scope(macro.closure);
  const auto take_named = [&](std::string_view name, value& out) {
    const auto found = std::find_if(given.named.begin(), given.named.end(),
                                    [&](const auto& own) { return own.first == name; });
    if (found == given.named.end()) return false;
    out = std::move(found->second);
    given.named.erase(found);
    return true;
  };
  bool explicit_caller = false;
  for (std::size_t i = 0; i < definition.parameters.size(); ++i) {
    const macro_parameter& parameter = definition.parameters[i];
    explicit_caller = explicit_caller || parameter.variable == symbol_caller;
    value bound = undefined{&parameter.name};
    if (i < given.positional.size()) {
      bound = given.positional[i];
    } else if (!take_named(parameter.name, bound) && parameter.fallback) {
      bound = evaluate(*parameter.fallback, inside);
    }
    inside.set(parameter.variable, std::move(bound));
  }
  if (definition.takes_caller && !explicit_caller) {
    value caller = undefined{&source_.symbols[symbol_caller]};
    take_named("caller", caller);
    inside.set(symbol_caller, std::move(caller));
  }
  if (definition.takes_kwargs) {
    dict* named = run_.make_dict();
    for (auto& [name, held] : given.named) named->set(run_.make(name), std::move(held));
    inside.set(symbol_kwargs, named);
  } else if (!given.named.empty()) {
    throw fault(fmt::format("the macro \"{}\" has no argument \"{}\"; remove it", definition.name,
                            given.named[0].first));
  }
  const std::size_t used = std::min(given.positional.size(), definition.parameters.size());
  if (definition.takes_varargs) {
    inside.set(symbol_varargs,
               run_.make_tuple({given.positional.begin() + static_cast<std::ptrdiff_t>(used),
                                given.positional.end()}));
  } else if (given.positional.size() > used) {
    throw fault(fmt::format("the macro \"{}\" takes {} arguments, not {}", definition.name, used,
                            given.positional.size()));
  }
  return capture(definition.body, inside);
}

} // namespace troupe::jinja
