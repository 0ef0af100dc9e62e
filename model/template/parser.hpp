// Tokens to syntax tree, by recursive descent with Jinja's precedences. Depth is counted on the way
// down and height on the way up, so neither brackets nor chains of operators can exhaust the stack,
// here or in the evaluator.
#pragma once

#include "model/template/ast.hpp"
#include "model/template/lexer.hpp"
#include "model/template/template_error.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::jinja {

/// Throws template_error.
parsed_template parse(std::string_view source, const template_limits& limits);

class parser {
 public:
  parser(std::vector<token> tokens, const template_limits& limits);
  parsed_template run();

 private:
  friend class parse_level;
  using end_tags = std::vector<std::string_view>;

  // statements, parser.cpp
  std::vector<statement> parse_body(const end_tags& ends);
  statement parse_statement();
  statement parse_for(statement made);
  statement parse_if(statement made);
  statement parse_set(statement made);
  statement parse_with(statement made);
  statement parse_macro(statement made);
  statement parse_call_block(statement made);
  statement parse_filter_block(statement made);
  statement parse_print(statement made);
  statement parse_loop_control(statement made, statement_kind kind);
  void parse_signature(macro_definition& made);
  expression_ptr parse_target(bool with_namespace, std::string_view end);
  expression_ptr parse_statement_expression(bool tuple, bool conditional,
                                            std::string_view end = {});
  std::vector<statement> parse_hard_body(const end_tags& ends);
  void finish_macro_body(macro_definition& made, std::string_view end);
  void end_block();

  // expressions, parser_expressions.cpp
  expression_ptr parse_tuple(bool conditional, std::string_view end, bool parenthesised);
  expression_ptr parse_expression();
  expression_ptr parse_or();
  expression_ptr parse_and();
  expression_ptr parse_not();
  expression_ptr parse_compare();
  expression_ptr parse_sum();
  expression_ptr parse_concat();
  expression_ptr parse_product();
  expression_ptr parse_power();
  expression_ptr parse_unary(bool with_filter);
  expression_ptr parse_primary();
  expression_ptr parse_name();
  expression_ptr parse_number();
  expression_ptr parse_string();
  expression_ptr parse_list();
  expression_ptr parse_dict();
  expression_ptr parse_postfix(expression_ptr node);
  expression_ptr parse_filters_and_tests(expression_ptr node);
  expression_ptr parse_filter(expression_ptr node);
  expression_ptr parse_test(expression_ptr node);
  expression_ptr parse_subscript(expression_ptr node);
  expression_ptr parse_subscribed();
  expression_ptr parse_call(expression_ptr node);
  std::unique_ptr<call_arguments> parse_arguments();
  std::string parse_dotted_name();

  expression_ptr make(expression_kind kind, std::vector<expression_ptr> operands = {});
  expression_ptr finish(expression_ptr made);
  symbol symbol_of(const std::string& name);

  const token& peek(std::size_t ahead = 0) const;
  const token& next();
  bool at_symbol(std::string_view text) const {
    return peek().kind == token_kind::symbol && peek().text == text;
  }
  bool at_name(std::string_view text) const {
    return peek().kind == token_kind::name && peek().text == text;
  }
  bool skip_symbol(std::string_view text);
  bool skip_name(std::string_view text);
  void expect_symbol(std::string_view text);
  void expect(token_kind kind);
  std::string expect_name();
  [[noreturn]] void fail(std::string_view message) const;
  [[noreturn]] void fail_unexpected() const;
  void reject_unknown_names();

  std::vector<token> tokens_;
  std::size_t at_ = 0;
  template_limits limits_;
  std::size_t depth_ = 0;
  std::size_t loops_ = 0;
  bool soft_ = false; ///< inside an `if`, where an unknown filter is an error only if it is reached
  std::vector<std::pair<std::string, std::uint32_t>>
      unknown_;                           ///< unknown filters and tests of this expression
  std::vector<macro_definition*> macros_; ///< being parsed, outermost first
  std::vector<std::string> symbols_;
  std::unordered_map<std::string, symbol> symbol_numbers_;
};

/// One level of the parser's recursion; throws where there are too many.
class parse_level {
 public:
  explicit parse_level(parser& owner);
  ~parse_level() { --owner_.depth_; }
  parse_level(const parse_level&) = delete;
  parse_level& operator=(const parse_level&) = delete;

 private:
  parser& owner_;
};

} // namespace troupe::jinja
