// Expressions, one function a level of precedence, weakest first: if-else, or, and, not,
// comparisons, + -, ~, * / // %, **, sign, and the postfixes. The order is Jinja's, not Python's:
// `~` binds tighter than `+`, and filters tighter than all.
#include "model/template/filters.hpp"
#include "model/template/parser.hpp"
#include "model/template/tests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace troupe::jinja {
namespace {

std::vector<expression_ptr> pair_of(expression_ptr left, expression_ptr right) {
  std::vector<expression_ptr> made;
  made.push_back(std::move(left));
  made.push_back(std::move(right));
  return made;
}

std::vector<expression_ptr> single(expression_ptr only) {
  std::vector<expression_ptr> made;
  made.push_back(std::move(only));
  return made;
}

std::optional<comparison> comparison_of(std::string_view text) {
  if (text == "==") return comparison::equal;
  if (text == "!=") return comparison::unequal;
  if (text == "<") return comparison::less;
  if (text == "<=") return comparison::less_equal;
  if (text == ">") return comparison::greater;
  if (text == ">=") return comparison::greater_equal;
  return std::nullopt;
}

std::unique_ptr<text_node> node_of(std::string bytes) {
  auto node = std::make_unique<text_node>();
  node->ascii = is_ascii(bytes);
  node->bytes = std::move(bytes);
  return node;
}

} // namespace

expression_ptr parser::make(expression_kind kind, std::vector<expression_ptr> operands) {
  auto made = std::make_unique<expression>();
  made->kind = kind;
  made->line = peek().line;
  made->operands = std::move(operands);
  return made;
}

expression_ptr parser::finish(expression_ptr made) {
  std::uint32_t highest = 0;
  const auto look = [&](const expression_ptr& child) {
    if (child) highest = std::max(highest, child->height);
  };
  for (const auto& operand : made->operands) look(operand);
  if (made->arguments) {
    for (const auto& argument : made->arguments->positional) look(argument);
    for (const auto& [name, argument] : made->arguments->named) look(argument);
    look(made->arguments->more_positional);
    look(made->arguments->more_named);
  }
  made->height = highest + 1;
  if (made->height > limits_.nesting * 5) {
    fail(fmt::format("an expression of more than {} operators in a chain; part it with set",
                     limits_.nesting * 5));
  }
  return made;
}

expression_ptr parser::parse_tuple(bool conditional, std::string_view end, bool parenthesised) {
  std::vector<expression_ptr> items;
  bool tuple = false;
  for (;;) {
    const bool ends = peek().kind == token_kind::variable_end ||
                      peek().kind == token_kind::block_end || at_symbol(")") ||
                      (!end.empty() && at_name(end));
    if (ends) break;
    items.push_back(conditional ? parse_expression() : parse_or());
    if (!skip_symbol(",")) break;
    tuple = true;
  }
  if (!tuple) {
    if (!items.empty()) return std::move(items.front());
    if (!parenthesised) fail_unexpected();
  }
  return finish(make(expression_kind::tuple, std::move(items)));
}

expression_ptr parser::parse_expression() {
  const parse_level level(*this);
  const std::size_t known_before = unknown_.size();
  expression_ptr left = parse_or();
  while (skip_name("if")) {
    std::vector<expression_ptr> operands = pair_of(parse_or(), std::move(left));
    operands.push_back(skip_name("else") ? parse_expression() : nullptr);
    left = finish(make(expression_kind::conditional, std::move(operands)));
    unknown_.resize(known_before);
  }
  return left;
}

expression_ptr parser::parse_or() {
  expression_ptr left = parse_and();
  while (skip_name("or"))
    left = finish(make(expression_kind::logical_or, pair_of(std::move(left), parse_and())));
  return left;
}

expression_ptr parser::parse_and() {
  expression_ptr left = parse_not();
  while (skip_name("and"))
    left = finish(make(expression_kind::logical_and, pair_of(std::move(left), parse_not())));
  return left;
}

expression_ptr parser::parse_not() {
  if (!at_name("not")) return parse_compare();
  const parse_level level(*this);
  next();
  return finish(make(expression_kind::logical_not, single(parse_not())));
}

expression_ptr parser::parse_compare() {
  std::vector<expression_ptr> operands = single(parse_sum());
  std::vector<comparison> comparisons;
  for (;;) {
    const auto found =
        peek().kind == token_kind::symbol ? comparison_of(peek().text) : std::nullopt;
    if (found) {
      next();
      comparisons.push_back(*found);
    } else if (skip_name("in")) {
      comparisons.push_back(comparison::in);
    } else if (at_name("not") && peek(1).kind == token_kind::name && peek(1).text == "in") {
      next();
      next();
      comparisons.push_back(comparison::not_in);
    } else {
      break;
    }
    operands.push_back(parse_sum());
  }
  if (comparisons.empty()) return std::move(operands.front());
  expression_ptr made = make(expression_kind::compare, std::move(operands));
  made->comparisons = std::move(comparisons);
  return finish(std::move(made));
}

expression_ptr parser::parse_sum() {
  expression_ptr left = parse_concat();
  while (at_symbol("+") || at_symbol("-")) {
    const operation op = next().text == "+" ? operation::add : operation::subtract;
    left = make(expression_kind::arithmetic, pair_of(std::move(left), parse_concat()));
    left->op = op;
    left = finish(std::move(left));
  }
  return left;
}

expression_ptr parser::parse_concat() {
  std::vector<expression_ptr> operands = single(parse_product());
  while (skip_symbol("~")) operands.push_back(parse_product());
  if (operands.size() == 1) return std::move(operands.front());
  return finish(make(expression_kind::concat, std::move(operands)));
}

expression_ptr parser::parse_product() {
  expression_ptr left = parse_power();
  for (;;) {
    operation op = operation::multiply;
    if (at_symbol("/")) {
      op = operation::divide;
    } else if (at_symbol("//")) {
      op = operation::floor_divide;
    } else if (at_symbol("%")) {
      op = operation::modulo;
    } else if (!at_symbol("*")) {
      return left;
    }
    next();
    left = make(expression_kind::arithmetic, pair_of(std::move(left), parse_power()));
    left->op = op;
    left = finish(std::move(left));
  }
}

expression_ptr parser::parse_power() {
  expression_ptr left = parse_unary(true);
  while (skip_symbol("**")) {
    left = make(expression_kind::arithmetic, pair_of(std::move(left), parse_unary(true)));
    left->op = operation::power;
    left = finish(std::move(left));
  }
  return left;
}

expression_ptr parser::parse_unary(bool with_filter) {
  const parse_level level(*this);
  expression_ptr made;
  if (skip_symbol("-")) {
    made = finish(make(expression_kind::negative, single(parse_unary(false))));
  } else if (skip_symbol("+")) {
    made = finish(make(expression_kind::positive, single(parse_unary(false))));
  } else {
    made = parse_primary();
  }
  made = parse_postfix(std::move(made));
  return with_filter ? parse_filters_and_tests(std::move(made)) : std::move(made);
}

expression_ptr parser::parse_primary() {
  switch (peek().kind) {
  case token_kind::name:
    return parse_name();
  case token_kind::string:
    return parse_string();
  case token_kind::integer:
  case token_kind::floating:
    return parse_number();
  default:
    break;
  }
  if (skip_symbol("(")) {
    expression_ptr made = parse_tuple(true, {}, true);
    expect_symbol(")");
    return made;
  }
  if (at_symbol("[")) return parse_list();
  if (at_symbol("{")) return parse_dict();
  fail_unexpected();
}

expression_ptr parser::parse_name() {
  expression_ptr made = make(expression_kind::constant);
  const std::string name = next().text;
  if (name == "true" || name == "True") {
    made->constant = true;
  } else if (name == "false" || name == "False") {
    made->constant = false;
  } else if (name != "none" && name != "None") {
    made->kind = expression_kind::name;
    made->variable = symbol_of(name);
    made->text = name;
    for (macro_definition* macro : macros_) {
      macro->takes_caller |= made->variable == symbol_caller;
      macro->takes_varargs |= made->variable == symbol_varargs;
      macro->takes_kwargs |= made->variable == symbol_kwargs;
    }
  }
  return made;
}

expression_ptr parser::parse_string() {
  expression_ptr made = make(expression_kind::constant);
  std::string bytes;
  while (peek().kind == token_kind::string) bytes += next().text;
  made->constant = node_of(std::move(bytes));
  return made;
}

expression_ptr parser::parse_number() {
  expression_ptr made = make(expression_kind::constant);
  const token& read = next();
  std::string_view digits = read.text;
  if (read.kind == token_kind::floating) {
    double real = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), real);
    if (error == std::errc::result_out_of_range) real = std::strtod(read.text.c_str(), nullptr);
    made->constant = real;
    return made;
  }
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0' && digits[1] > '9') {
    const char kind = static_cast<char>(digits[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'o' ? 8 : 2;
    digits.remove_prefix(2);
  }
  std::int64_t whole = 0;
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), whole, base);
  if (error != std::errc())
    fail_at(read.line, "an integer does not fit 64 bits; write a smaller one");
  made->constant = whole;
  return made;
}

expression_ptr parser::parse_list() {
  expect_symbol("[");
  std::vector<expression_ptr> items;
  while (!at_symbol("]")) {
    if (!items.empty()) expect_symbol(",");
    if (at_symbol("]")) break;
    items.push_back(parse_expression());
  }
  expect_symbol("]");
  return finish(make(expression_kind::list, std::move(items)));
}

expression_ptr parser::parse_dict() {
  expect_symbol("{");
  std::vector<expression_ptr> items;
  while (!at_symbol("}")) {
    if (!items.empty()) expect_symbol(",");
    if (at_symbol("}")) break;
    items.push_back(parse_expression());
    expect_symbol(":");
    items.push_back(parse_expression());
  }
  expect_symbol("}");
  return finish(make(expression_kind::dict, std::move(items)));
}

expression_ptr parser::parse_postfix(expression_ptr node) {
  for (;;) {
    if (at_symbol(".") || at_symbol("[")) {
      node = parse_subscript(std::move(node));
    } else if (at_symbol("(")) {
      node = parse_call(std::move(node));
    } else {
      return node;
    }
  }
}

expression_ptr parser::parse_filters_and_tests(expression_ptr node) {
  for (;;) {
    if (at_symbol("|")) {
      node = parse_filter(std::move(node));
    } else if (at_name("is")) {
      node = parse_test(std::move(node));
    } else if (at_symbol("(")) {
      node = parse_call(std::move(node));
    } else {
      return node;
    }
  }
}

std::string parser::parse_dotted_name() {
  std::string name = expect_name();
  while (skip_symbol(".")) name += "." + expect_name();
  return name;
}

expression_ptr parser::parse_filter(expression_ptr node) {
  while (skip_symbol("|")) {
    expression_ptr made = make(expression_kind::filter, single(std::move(node)));
    made->text = parse_dotted_name();
    made->filter = find_filter(made->text);
    if (!made->filter) unknown_.emplace_back("filter \"" + made->text + "\"", made->line);
    made->arguments = at_symbol("(") ? parse_arguments() : std::make_unique<call_arguments>();
    node = finish(std::move(made));
  }
  return node;
}

expression_ptr parser::parse_test(expression_ptr node) {
  next();
  const bool negated = skip_name("not");
  expression_ptr made = make(expression_kind::test, single(std::move(node)));
  made->text = parse_dotted_name();
  made->test = find_test(made->text);
  if (!made->test) unknown_.emplace_back("test \"" + made->text + "\"", made->line);
  const token& follows = peek();
  const bool operand =
      follows.kind == token_kind::string || follows.kind == token_kind::integer ||
      follows.kind == token_kind::floating || at_symbol("[") || at_symbol("{") ||
      (follows.kind == token_kind::name && !at_name("else") && !at_name("or") && !at_name("and"));
  if (at_symbol("(")) {
    made->arguments = parse_arguments();
  } else {
    made->arguments = std::make_unique<call_arguments>();
    if (operand) {
      if (at_name("is")) fail("tests cannot be chained; join them with \"and\"");
      made->arguments->positional.push_back(parse_postfix(parse_primary()));
    }
  }
  made = finish(std::move(made));
  return negated ? finish(make(expression_kind::logical_not, single(std::move(made))))
                 : std::move(made);
}

expression_ptr parser::parse_subscript(expression_ptr node) {
  if (skip_symbol(".")) {
    if (peek().kind == token_kind::integer) {
      return finish(make(expression_kind::item, pair_of(std::move(node), parse_number())));
    }
    expression_ptr made = make(expression_kind::attribute, single(std::move(node)));
    made->text = expect_name();
    made->text_value = node_of(made->text);
    return finish(std::move(made));
  }
  expect_symbol("[");
  std::vector<expression_ptr> keys;
  while (!at_symbol("]")) {
    if (!keys.empty()) expect_symbol(",");
    keys.push_back(parse_subscribed());
  }
  expect_symbol("]");
  expression_ptr key = keys.size() == 1 ? std::move(keys.front())
                                        : finish(make(expression_kind::tuple, std::move(keys)));
  return finish(make(expression_kind::item, pair_of(std::move(node), std::move(key))));
}

expression_ptr parser::parse_subscribed() {
  expression_ptr begin;
  if (!at_symbol(":")) {
    begin = parse_expression();
    if (!at_symbol(":")) return begin;
  }
  next();
  const auto part = [&] {
    return at_symbol(":") || at_symbol("]") || at_symbol(",") ? nullptr : parse_expression();
  };
  std::vector<expression_ptr> operands = pair_of(std::move(begin), part());
  operands.push_back(skip_symbol(":") ? part() : nullptr);
  return finish(make(expression_kind::slice, std::move(operands)));
}

expression_ptr parser::parse_call(expression_ptr node) {
  expression_ptr made = make(expression_kind::call, single(std::move(node)));
  made->arguments = parse_arguments();
  return finish(std::move(made));
}

std::unique_ptr<call_arguments> parser::parse_arguments() {
  const parse_level level(*this);
  auto made = std::make_unique<call_arguments>();
  expect_symbol("(");
  for (bool first = true; !at_symbol(")"); first = false) {
    if (!first) expect_symbol(",");
    if (at_symbol(")")) break;
    if (!made->more_named && !made->more_positional && at_symbol("*")) {
      next();
      made->more_positional = parse_expression();
    } else if (!made->more_named && at_symbol("**")) {
      next();
      made->more_named = parse_expression();
    } else if (peek().kind == token_kind::name && peek(1).kind == token_kind::symbol &&
               peek(1).text == "=") {
      if (made->more_named) fail("arguments follow **; put them before it");
      std::string name = next().text;
      next();
      for (const auto& [other, value] : made->named) {
        if (other == name) fail(fmt::format("argument \"{}\" is given twice; remove one", name));
      }
      made->named.emplace_back(std::move(name), parse_expression());
    } else {
      if (!made->named.empty() || made->more_positional || made->more_named) {
        fail("an argument without a name follows one with a name; put it before");
      }
      made->positional.push_back(parse_expression());
    }
  }
  expect_symbol(")");
  return made;
}

} // namespace troupe::jinja
