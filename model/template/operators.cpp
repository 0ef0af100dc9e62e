// Integers are 64 bits and checked: a template that needs more is refused where Python would go on.
#include "model/template/operators.hpp"

#include "model/template/print.hpp"
#include "model/template/printf_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace troupe::jinja {
namespace {

[[noreturn]] void fail_overflow() {
  throw fault("an integer does not fit 64 bits; use smaller numbers");
}
[[noreturn]] void fail_zero() { throw fault("division by zero; test the divisor before"); }

value arithmetic_whole(operation op, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  bool over = false;
  switch (op) {
  case operation::add:
    over = __builtin_add_overflow(a, b, &out);
    break;
  case operation::subtract:
    over = __builtin_sub_overflow(a, b, &out);
    break;
  case operation::multiply:
    over = __builtin_mul_overflow(a, b, &out);
    break;
  case operation::divide:
    if (b == 0) fail_zero();
    return static_cast<double>(a) / static_cast<double>(b);
  case operation::floor_divide:
  case operation::modulo: {
    if (b == 0) fail_zero();
    if (b == -1) return op == operation::modulo ? value(std::int64_t{0}) : negate(a, true);
    const std::int64_t rest = a % b;
    const bool down = rest != 0 && (rest < 0) != (b < 0);
    out = op == operation::modulo ? (down ? rest + b : rest) : a / b - (down ? 1 : 0);
    break;
  }
  case operation::power: {
    if (b < 0) {
      if (a == 0) fail_zero();
      return std::pow(static_cast<double>(a), static_cast<double>(b));
    }
    out = 1;
    for (std::int64_t i = 0; i < b && !over; ++i) {
      over = __builtin_mul_overflow(out, a, &out);
      if (out == 0 || out == 1) break;
      if (out == -1 && a == -1) return b % 2 == 0 ? std::int64_t{1} : std::int64_t{-1};
    }
    break;
  }
  }
  if (over) fail_overflow();
  return out;
}

value arithmetic_real(operation op, double a, double b) {
  switch (op) {
  case operation::add:
    return a + b;
  case operation::subtract:
    return a - b;
  case operation::multiply:
    return a * b;
  case operation::divide:
    if (b == 0) fail_zero();
    return a / b;
  case operation::floor_divide:
  case operation::modulo: {
    if (b == 0) fail_zero();
    double rest = std::fmod(a, b);
    double quotient = (a - rest) / b;
    if (rest != 0 && (rest < 0) != (b < 0)) {
      rest += b;
      quotient -= 1;
    }
    if (rest == 0) rest = std::copysign(0.0, b);
    if (op == operation::modulo) return rest;
    return quotient == 0 ? std::copysign(0.0, a / b) : std::floor(quotient + 0.5);
  }
  case operation::power:
    return std::pow(a, b);
  }
  return 0.0;
}

text repeat(runtime& run, const text& what, std::int64_t times) {
  text_builder out(run.budget);
  if (times > 0 && !what.empty()) {
    const auto count = static_cast<std::size_t>(times);
    if (count > std::numeric_limits<std::size_t>::max() / what.size()) fail_overflow();
    run.budget.check_text(what.size() * count);
    if (what.has_untrusted()) {
      run.budget.step(count);
      for (std::size_t i = 0; i < count; ++i) out.append(what);
    } else {
      std::string bytes;
      bytes.reserve(what.size() * count);
      for (std::size_t i = 0; i < count; ++i) bytes.append(what.view());
      out.append(bytes);
    }
  }
  return std::move(out).build(what.markup());
}

value repeat(runtime& run, const sequence& what, std::int64_t times) {
  std::vector<value> items;
  for (std::int64_t i = 0; i < times && !what.items.empty(); ++i) {
    run.budget.step(what.items.size());
    items.insert(items.end(), what.items.begin(), what.items.end());
  }
  return run.make_sequence(what.form, std::move(items));
}

bool is_list_or_tuple(const sequence* items) {
  return items && (items->form == sequence_form::list || items->form == sequence_form::tuple);
}

/// +, * and % where a side is no number; false where they do not apply.
bool arithmetic_other(runtime& run, operation op, const value& left, const value& right,
                      value& out) {
  const text* a = as_text(left);
  const text* b = as_text(right);
  const sequence* first = as_sequence(left);
  const sequence* second = as_sequence(right);
  std::int64_t times = 0;
  if (op == operation::add && a && b) {
    out = concat(run.budget, *a, *b);
  } else if (op == operation::add && is_list_or_tuple(first) && is_list_or_tuple(second) &&
             first->form == second->form) {
    std::vector<value> items = first->items;
    items.insert(items.end(), second->items.begin(), second->items.end());
    run.budget.step(items.size());
    out = run.make_sequence(first->form, std::move(items));
  } else if (op == operation::multiply && a && as_integer(right, times)) {
    out = repeat(run, *a, times);
  } else if (op == operation::multiply && b && as_integer(left, times)) {
    out = repeat(run, *b, times);
  } else if (op == operation::multiply && is_list_or_tuple(first) && as_integer(right, times)) {
    out = repeat(run, *first, times);
  } else if (op == operation::multiply && is_list_or_tuple(second) && as_integer(left, times)) {
    out = repeat(run, *second, times);
  } else if (op == operation::modulo && a) {
    arguments given;
    if (second && second->form == sequence_form::tuple) {
      given.positional = second->items;
    } else {
      given.positional.push_back(right);
    }
    out = printf_format(run, *a, given.positional, right);
  } else {
    return false;
  }
  return true;
}

} // namespace

void fail_undefined(const value& v) {
  const auto& missing = std::get<undefined>(v);
  throw fault(
      missing.name
          ? fmt::format("\"{}\" is undefined; test it with \"is defined\" before", *missing.name)
          : std::string("a value is undefined; test it with \"is defined\" before"));
}

bool truth(const value& v) {
  if (const auto* flag = std::get_if<bool>(&v)) return *flag;
  if (const text* whole = as_text(v)) return !whole->empty();
  if (const sequence* items = as_sequence(v))
    return items->form == sequence_form::generator || !items->items.empty();
  if (const dict* entries = as_dict(v)) return entries->size() > 0;
  if (const auto* whole = std::get_if<std::int64_t>(&v)) return *whole != 0;
  if (const auto* real = std::get_if<double>(&v)) return *real != 0;
  return !is_undefined(v) && !is_none(v);
}

bool equal(render_budget& budget, const value& left, const value& right) {
  double a = 0;
  double b = 0;
  std::int64_t whole_a = 0;
  std::int64_t whole_b = 0;
  if (as_integer(left, whole_a) && as_integer(right, whole_b)) return whole_a == whole_b;
  if (as_real(left, a) && as_real(right, b)) return a == b;
  if (left.index() != right.index()) return false;
  if (const text* own = as_text(left)) {
    budget.scan(own->size());
    return own->view() == as_text(right)->view();
  }
  const nested level(budget, 4);
  if (const sequence* first = as_sequence(left)) {
    const sequence* second = as_sequence(right);
    if (first == second) return true;
    if (first->form != second->form || first->form > sequence_form::range) return false;
    budget.step(std::min(first->items.size(), second->items.size()));
    return std::equal(first->items.begin(), first->items.end(), second->items.begin(),
                      second->items.end(),
                      [&](const value& x, const value& y) { return equal(budget, x, y); });
  }
  if (const dict* first = as_dict(left)) {
    const dict* second = as_dict(right);
    if (first == second) return true;
    budget.step(first->size());
    return first->size() == second->size() &&
           std::all_of(first->entries().begin(), first->entries().end(),
                       [&](const dict::entry& entry) {
                         const value* other = second->find(entry.first);
                         return other && equal(budget, entry.second, *other);
                       });
  }
  if (is_undefined(left) || is_none(left)) return true;
  return std::visit(
      [&](const auto& own) -> bool {
        using kind = std::decay_t<decltype(own)>;
        if constexpr (std::is_pointer_v<kind>) return own == std::get<kind>(right);
        return false;
      },
      left);
}

bool less(render_budget& budget, const value& left, const value& right) {
  const nested level(budget, 4);
  budget.step();
  if (is_undefined(left)) fail_undefined(left);
  if (is_undefined(right)) fail_undefined(right);
  std::int64_t whole_a = 0;
  std::int64_t whole_b = 0;
  if (as_integer(left, whole_a) && as_integer(right, whole_b)) return whole_a < whole_b;
  double a = 0;
  double b = 0;
  if (as_real(left, a) && as_real(right, b)) return a < b;
  if (as_text(left) && as_text(right)) {
    budget.scan(as_text(left)->size());
    return as_text(left)->view() < as_text(right)->view();
  }
  const sequence* first = as_sequence(left);
  const sequence* second = as_sequence(right);
  if (is_list_or_tuple(first) && is_list_or_tuple(second) && first->form == second->form) {
    for (std::size_t i = 0; i < first->items.size() && i < second->items.size(); ++i) {
      if (!equal(budget, first->items[i], second->items[i]))
        return less(budget, first->items[i], second->items[i]);
    }
    return first->items.size() < second->items.size();
  }
  throw fault(fmt::format("a {} and a {} have no order; convert one of them", type_name(left),
                          type_name(right)));
}

bool compare(runtime& run, comparison how, const value& left, const value& right) {
  const auto is_nan = [](const value& v) {
    return std::holds_alternative<double>(v) && std::isnan(std::get<double>(v));
  };
  switch (how) {
  case comparison::equal:
    return equal(run.budget, left, right);
  case comparison::unequal:
    return !equal(run.budget, left, right);
  case comparison::less:
    return less(run.budget, left, right);
  case comparison::greater:
    return less(run.budget, right, left);
  case comparison::less_equal:
    return !less(run.budget, right, left) && !is_nan(left) && !is_nan(right);
  case comparison::greater_equal:
    return !less(run.budget, left, right) && !is_nan(left) && !is_nan(right);
  case comparison::in:
    return contains(run, right, left);
  case comparison::not_in:
    return !contains(run, right, left);
  }
  return false;
}

bool contains(runtime& run, const value& container, const value& item) {
  if (const text* whole = as_text(container)) {
    const text* part = as_text(item);
    if (is_undefined(item))
      throw fault("\"in\" asks a text for an undefined value; test it with \"is defined\" before");
    if (!part)
      throw fault(
          fmt::format("\"in\" asks a text for a {}; convert it with |string", type_name(item)));
    run.budget.scan(whole->size());
    return whole->view().find(part->view()) != std::string_view::npos;
  }
  if (const dict* entries = as_dict(container)) {
    if (as_dict(item) || (as_sequence(item) && as_sequence(item)->form == sequence_form::list)) {
      throw fault(fmt::format("a {} cannot be a key; ask for a text or a number", type_name(item)));
    }
    return entries->find(item) != nullptr;
  }
  if (sequence* items = as_sequence(container); items && items->form != sequence_form::generator) {
    run.budget.step(items->items.size() / 8);
    return std::any_of(items->items.begin(), items->items.end(),
                       [&](const value& own) { return equal(run.budget, own, item); });
  }
  for (const value& own : items_of(run, container)) {
    if (equal(run.budget, own, item)) return true;
  }
  return false;
}

value arithmetic(runtime& run, operation op, const value& left, const value& right) {
  value out;
  const bool formats = op == operation::modulo && as_text(left);
  if (is_undefined(left)) fail_undefined(left);
  if (is_undefined(right) && !formats) fail_undefined(right);
  std::int64_t whole_a = 0;
  std::int64_t whole_b = 0;
  if (as_integer(left, whole_a) && as_integer(right, whole_b))
    return arithmetic_whole(op, whole_a, whole_b);
  double a = 0;
  double b = 0;
  if (as_real(left, a) && as_real(right, b)) return arithmetic_real(op, a, b);
  if (arithmetic_other(run, op, left, right, out)) return out;
  static constexpr std::string_view signs[] = {"+", "-", "*", "/", "//", "%", "**"};
  throw fault(fmt::format(
      "\"{}\" does not apply to a {} and a {}; convert one of them, or join texts with ~",
      signs[static_cast<std::size_t>(op)], type_name(left), type_name(right)));
}

value negate(const value& v, bool negative) {
  std::int64_t whole = 0;
  if (is_undefined(v)) fail_undefined(v);
  if (as_integer(v, whole)) {
    if (negative && __builtin_sub_overflow(std::int64_t{0}, whole, &whole)) fail_overflow();
    return whole;
  }
  if (const auto* real = std::get_if<double>(&v)) return negative ? -*real : *real;
  throw fault(fmt::format("a {} has no sign; convert it with |int", type_name(v)));
}

std::size_t length(const value& v) {
  if (const text* whole = as_text(v)) return whole->length();
  if (const dict* entries = as_dict(v)) return entries->size();
  const sequence* items = as_sequence(v);
  if (items && items->form != sequence_form::generator) return items->items.size();
  if (is_undefined(v)) return 0;
  throw fault(fmt::format("a {} has no length; make it a list with |list", type_name(v)));
}

} // namespace troupe::jinja
