// What one rendering owns: its budget and every container made on the way. Filters, tests, methods
// and operators get it as their first argument; nothing of it is shared between threads.
#pragma once

#include "model/template/budget.hpp"
#include "model/template/value.hpp"

#include <ctime>
#include <deque>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::jinja {

class runtime {
 public:
  runtime(const template_limits& limits, const std::function<std::tm()>& clock)
      : budget(limits), clock_(clock) {}

  sequence* make_sequence(sequence_form form, std::vector<value> items);
  sequence* make_list(std::vector<value> items) {
    return make_sequence(sequence_form::list, std::move(items));
  }
  sequence* make_tuple(std::vector<value> items) {
    return make_sequence(sequence_form::tuple, std::move(items));
  }
  dict* make_dict();
  space* make_space();
  function* make_function(std::string_view name, native run, value self);
  /// Room for one more entry in a container that exists.
  void grow(std::size_t entries = 1) { budget.take(entries * sizeof(value) * 2); }
  text make(std::string_view bytes) { return make_text(budget, bytes); }
  /// The time of this rendering: asked once.
  const std::tm& now();

  render_budget budget;

 private:
  std::deque<sequence> sequences_;
  std::deque<dict> dicts_;
  std::deque<space> spaces_;
  std::deque<function> functions_;
  const std::function<std::tm()>& clock_;
  std::optional<std::tm> now_;
};

/// What a `for` would visit, in order; takes what a generator has left. Throws `fault` where the
/// value cannot be iterated.
std::vector<value> items_of(runtime& run, const value& from);

/// Positional and then named arguments put in the order of `names`; null where not given. Throws
/// `fault` for arguments that `callee` does not have or that are missing among the first
/// `required`.
std::vector<const value*> bind(std::string_view callee, const arguments& given,
                               std::initializer_list<std::string_view> names,
                               std::size_t required = 0);

} // namespace troupe::jinja
