// The values a template computes with: Python's, as far as templates can tell. Containers belong to
// the rendering's heap and are held by plain pointers, so values copy cheaply and a list that
// contains itself leaks nothing.
#pragma once

#include "model/template/text.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::jinja {

struct sequence;
class dict;
struct space;
struct function;
struct macro_value;
struct loop_state;

/// What a missing variable or attribute evaluates to: prints as nothing, fails where it is used
/// otherwise.
struct undefined {
  const std::string* name =
      nullptr; ///< what was missing, if it has a name; belongs to the template.
};

struct none {};

using value = std::variant<undefined, none, bool, std::int64_t, double, text, sequence*, dict*,
                           space*, function*, macro_value*, loop_state*>;

enum class sequence_form : std::uint8_t {
  list,
  tuple,
  range,
  generator,
  dict_keys,
  dict_values,
  dict_items
};

struct sequence {
  sequence_form form = sequence_form::list;
  std::vector<value> items;
  std::size_t taken = 0; ///< of a generator: how many items are gone.
};

/// Ordered, keys unique by Python's equality. Text keys are hashed from the ninth entry on.
class dict {
 public:
  /// Comparing keys costs steps of `budget`.
  explicit dict(render_budget& budget) : budget_(&budget) {}
  using entry = std::pair<value, value>;
  const std::vector<entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  const value* find(const value& key) const;
  const value* find(std::string_view key) const;
  void set(const value& key, value to);
  bool erase(const value& key);
  void clear();

 private:
  std::size_t position(const value& key) const;
  std::size_t position(std::string_view key) const;
  void index(std::size_t from);

  render_budget* budget_;
  std::vector<entry> entries_;
  std::unordered_map<std::string_view, std::size_t> by_text_;
};

/// namespace(): the one thing a loop may assign to and keep.
struct space {
  explicit space(render_budget& budget) : attributes(budget) {}
  dict attributes;
};

/// Evaluated arguments of a call.
struct arguments {
  std::vector<value> positional;
  std::vector<std::pair<std::string, value>> named;
};

class runtime;
using native = value (*)(runtime&, const value& self, const arguments&);

/// A global function, or a method bound to its value.
struct function {
  std::string_view name;
  native run = nullptr;
  value self;
};

inline bool is_undefined(const value& v) { return std::holds_alternative<undefined>(v); }
inline bool is_none(const value& v) { return std::holds_alternative<none>(v); }
inline const text* as_text(const value& v) { return std::get_if<text>(&v); }
inline dict* as_dict(const value& v) {
  const auto* found = std::get_if<dict*>(&v);
  return found ? *found : nullptr;
}
inline sequence* as_sequence(const value& v) {
  const auto* found = std::get_if<sequence*>(&v);
  return found ? *found : nullptr;
}
/// A bool counts as 0 or 1, as in Python.
bool as_integer(const value& v, std::int64_t& out);
/// Any number.
bool as_real(const value& v, double& out);
/// Python's name of the type, for messages.
std::string_view type_name(const value& v);

} // namespace troupe::jinja
