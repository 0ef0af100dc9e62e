// Statements. The body of a loop, macro or capturing block is "hard": an unknown filter there is
// refused at once, as Jinja does, while inside an `if` it may stay as long as the branch is never
// taken.
#include "model/template/parser.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace troupe::jinja {

parsed_template parse(std::string_view source, const template_limits& limits) {
  if (source.size() > limits.output_bytes) {
    throw template_error(fmt::format(
        "chat template: {} bytes are more than the limit of {}; shorten it or raise the limit",
        source.size(), limits.output_bytes));
  }
  return parser(tokenize(source), limits).run();
}

parse_level::parse_level(parser& owner) : owner_(owner) {
  if (owner.depth_ >= owner.limits_.nesting) {
    owner.fail(fmt::format("nested deeper than {} levels; flatten it or raise the limit on nesting",
                           owner.limits_.nesting));
  }
  ++owner.depth_;
}

parser::parser(std::vector<token> tokens, const template_limits& limits)
    : tokens_(std::move(tokens)), limits_(limits) {
  for (const char* name : {"loop", "caller", "varargs", "kwargs"}) symbol_of(name);
}

parsed_template parser::run() {
  parsed_template made;
  made.body = parse_body({});
  made.symbols = std::move(symbols_);
  return made;
}

const token& parser::peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const token& parser::next() {
  const token& taken = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return taken;
}

bool parser::skip_symbol(std::string_view text) {
  if (!at_symbol(text)) return false;
  next();
  return true;
}

bool parser::skip_name(std::string_view text) {
  if (!at_name(text)) return false;
  next();
  return true;
}

void parser::expect_symbol(std::string_view text) {
  if (!skip_symbol(text)) fail_unexpected();
}

void parser::expect(token_kind kind) {
  if (peek().kind != kind) fail_unexpected();
  next();
}

std::string parser::expect_name() {
  if (peek().kind != token_kind::name) fail_unexpected();
  return next().text;
}

void parser::fail(std::string_view message) const { fail_at(peek().line, message); }

void parser::fail_unexpected() const {
  switch (peek().kind) {
  case token_kind::end:
    fail("the template ends too early; close what is open");
  case token_kind::block_end:
  case token_kind::variable_end:
    fail("the tag ends too early; complete the expression in it");
  default:
    fail(
        fmt::format("unexpected \"{}\"; remove it or complete what stands before it", peek().text));
  }
}

symbol parser::symbol_of(const std::string& name) {
  const auto [found, added] =
      symbol_numbers_.try_emplace(name, static_cast<symbol>(symbols_.size()));
  if (added) symbols_.push_back(name);
  return found->second;
}

void parser::reject_unknown_names() {
  if (!unknown_.empty() && !soft_) {
    fail_at(unknown_.front().second,
            fmt::format("there is no {}; remove it or use another", unknown_.front().first));
  }
  unknown_.clear();
}

expression_ptr parser::parse_statement_expression(bool tuple, bool conditional,
                                                  std::string_view end) {
  expression_ptr made = tuple         ? parse_tuple(conditional, end, false)
                        : conditional ? parse_expression()
                                      : parse_or();
  reject_unknown_names();
  return made;
}

std::vector<statement> parser::parse_body(const end_tags& ends) {
  const parse_level level(*this);
  std::vector<statement> body;
  for (;;) {
    statement made;
    made.line = peek().line;
    if (peek().kind == token_kind::end) {
      if (!ends.empty())
        fail(fmt::format("the template ends where {} is needed; add it", fmt::join(ends, " or ")));
      return body;
    }
    if (peek().kind == token_kind::data) {
      made.kind = statement_kind::data;
      made.data = std::make_unique<text_node>();
      made.data->bytes = next().text;
    } else if (peek().kind == token_kind::variable_begin) {
      next();
      made.kind = statement_kind::output;
      made.value = parse_statement_expression(true, true);
      expect(token_kind::variable_end);
    } else {
      expect(token_kind::block_begin);
      if (peek().kind == token_kind::name &&
          std::find(ends.begin(), ends.end(), peek().text) != ends.end())
        return body;
      made = parse_statement();
      expect(token_kind::block_end);
    }
    body.push_back(std::move(made));
  }
}

std::vector<statement> parser::parse_hard_body(const end_tags& ends) {
  const bool outer = std::exchange(soft_, false);
  end_block();
  std::vector<statement> body = parse_body(ends);
  soft_ = outer;
  return body;
}

void parser::end_block() {
  skip_symbol(":");
  expect(token_kind::block_end);
}

statement parser::parse_statement() {
  statement made;
  made.line = peek().line;
  const std::string tag = expect_name();
  if (tag == "for") return parse_for(std::move(made));
  if (tag == "if") return parse_if(std::move(made));
  if (tag == "set") return parse_set(std::move(made));
  if (tag == "with") return parse_with(std::move(made));
  if (tag == "macro") return parse_macro(std::move(made));
  if (tag == "call") return parse_call_block(std::move(made));
  if (tag == "filter") return parse_filter_block(std::move(made));
  if (tag == "break") return parse_loop_control(std::move(made), statement_kind::break_loop);
  if (tag == "continue") return parse_loop_control(std::move(made), statement_kind::continue_loop);
  if (tag == "print") return parse_print(std::move(made));
  if (tag == "generation") {
    made.kind = statement_kind::group;
    made.body = parse_hard_body({"endgeneration"});
    next();
    return made;
  }
  if (tag == "include" || tag == "import" || tag == "from" || tag == "extends") {
    fail_at(made.line,
            fmt::format(
                "{{% {} %}} reads other files, which a chat template may not; put the text in here",
                tag));
  }
  fail_at(made.line,
          fmt::format("unknown tag {{% {} %}}; remove it or close the block before it", tag));
}

statement parser::parse_print(statement made) {
  made.kind = statement_kind::group;
  while (peek().kind != token_kind::block_end) {
    if (!made.body.empty()) expect_symbol(",");
    statement& part = made.body.emplace_back();
    part.kind = statement_kind::output;
    part.line = made.line;
    part.value = parse_statement_expression(false, true);
  }
  return made;
}

statement parser::parse_loop_control(statement made, statement_kind kind) {
  if (loops_ == 0) fail_at(made.line, "break and continue belong inside {% for %}; remove it");
  made.kind = kind;
  return made;
}

expression_ptr parser::parse_target(bool with_namespace, std::string_view end) {
  if (with_namespace && peek(1).kind == token_kind::symbol && peek(1).text == ".") {
    auto owner = make(expression_kind::name);
    owner->text = expect_name();
    owner->variable = symbol_of(owner->text);
    next();
    std::vector<expression_ptr> operands;
    operands.push_back(std::move(owner));
    auto made = make(expression_kind::attribute, std::move(operands));
    made->text = expect_name();
    return finish(std::move(made));
  }
  std::vector<expression_ptr> names;
  bool tuple = false;
  const bool bracketed = skip_symbol("(");
  for (;;) {
    if (at_symbol("(")) {
      const parse_level level(*this);
      names.push_back(parse_target(false, {}));
    } else {
      auto made = make(expression_kind::name);
      made->text = expect_name();
      for (const char* word : {"true", "false", "none", "True", "False", "None"}) {
        if (made->text == word)
          fail(fmt::format("{} cannot be assigned to; use another name", word));
      }
      made->variable = symbol_of(made->text);
      names.push_back(std::move(made));
    }
    if (!skip_symbol(",")) break;
    tuple = true;
    if (bracketed ? at_symbol(")")
                  : (!end.empty() && at_name(end)) || peek().kind == token_kind::block_end)
      break;
  }
  if (bracketed) expect_symbol(")");
  if (!tuple) return std::move(names.front());
  return finish(make(expression_kind::tuple, std::move(names)));
}

statement parser::parse_for(statement made) {
  made.kind = statement_kind::for_in;
  made.target = parse_target(false, "in");
  if (!skip_name("in")) fail_unexpected();
  made.value = parse_statement_expression(true, false, "recursive");
  if (skip_name("if")) made.condition = parse_statement_expression(false, true);
  made.recursive = skip_name("recursive");
  if (made.recursive)
    fail_at(made.line, "recursive loops are not supported; use a macro that calls itself");
  ++loops_;
  made.body = parse_hard_body({"endfor", "else"});
  --loops_;
  if (next().text == "else") {
    made.otherwise = parse_hard_body({"endfor"});
    next();
  }
  return made;
}

statement parser::parse_if(statement made) {
  made.kind = statement_kind::if_else;
  const bool outer = std::exchange(soft_, true);
  for (;;) {
    branch taken;
    taken.condition = parse_statement_expression(true, false);
    end_block();
    taken.body = parse_body({"elif", "else", "endif"});
    made.branches.push_back(std::move(taken));
    const std::string tag = next().text;
    if (tag == "elif") continue;
    if (tag == "else") {
      end_block();
      made.body = parse_body({"endif"});
      next();
    }
    soft_ = outer;
    return made;
  }
}

statement parser::parse_set(statement made) {
  made.target = parse_target(true, {});
  if (skip_symbol("=")) {
    made.kind = statement_kind::set;
    made.value = parse_statement_expression(true, true);
    return made;
  }
  made.kind = statement_kind::set_block;
  made.value = parse_filter(nullptr);
  reject_unknown_names();
  made.body = parse_hard_body({"endset"});
  next();
  return made;
}

statement parser::parse_with(statement made) {
  made.kind = statement_kind::with;
  std::vector<expression_ptr> targets;
  std::vector<expression_ptr> values;
  while (peek().kind != token_kind::block_end) {
    if (!targets.empty()) expect_symbol(",");
    targets.push_back(parse_target(false, {}));
    expect_symbol("=");
    values.push_back(parse_statement_expression(false, true));
  }
  made.target = finish(make(expression_kind::tuple, std::move(targets)));
  made.value = finish(make(expression_kind::tuple, std::move(values)));
  made.body = parse_hard_body({"endwith"});
  next();
  return made;
}

void parser::parse_signature(macro_definition& made) {
  expect_symbol("(");
  while (!at_symbol(")")) {
    if (!made.parameters.empty()) expect_symbol(",");
    macro_parameter parameter;
    parameter.name = expect_name();
    parameter.variable = symbol_of(parameter.name);
    if (skip_symbol("=")) {
      parameter.fallback = parse_statement_expression(false, true);
    } else if (!made.parameters.empty() && made.parameters.back().fallback) {
      fail("a parameter without a default follows one with a default; give it one too");
    }
    made.parameters.push_back(std::move(parameter));
  }
  expect_symbol(")");
}

void parser::finish_macro_body(macro_definition& made, std::string_view end) {
  const std::size_t outer_loops = std::exchange(loops_, 0);
  made.body = parse_hard_body({end});
  next();
  loops_ = outer_loops;
  macros_.pop_back();
}

statement parser::parse_macro(statement made) {
  made.kind = statement_kind::macro;
  made.macro = std::make_unique<macro_definition>();
  made.macro->name = expect_name();
  made.macro->variable = symbol_of(made.macro->name);
  parse_signature(*made.macro);
  macros_.push_back(made.macro.get());
  finish_macro_body(*made.macro, "endmacro");
  return made;
}

statement parser::parse_call_block(statement made) {
  made.kind = statement_kind::call_block;
  made.macro = std::make_unique<macro_definition>();
  made.macro->name = "caller";
  if (at_symbol("(")) parse_signature(*made.macro);
  made.value = parse_statement_expression(false, true);
  if (made.value->kind != expression_kind::call)
    fail_at(made.line, "{% call %} needs a macro call, as in {% call name() %}");
  macros_.push_back(made.macro.get());
  finish_macro_body(*made.macro, "endcall");
  return made;
}

statement parser::parse_filter_block(statement made) {
  made.kind = statement_kind::filter_block;
  tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(at_),
                 {token_kind::symbol, "|", made.line});
  made.value = parse_filter(nullptr);
  reject_unknown_names();
  made.body = parse_hard_body({"endfilter"});
  next();
  return made;
}

} // namespace troupe::jinja
