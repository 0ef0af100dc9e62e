// Tables of options: each binds names, ranges and a line of help to a field of a struct. Its
// default is whatever the field holds in a fresh `Values`, its flag is its name with dashes unless
// that is changed.
#pragma once

#include "config/option.hpp"

#include <algorithm>
#include <concepts>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

struct count_range {
  std::uint64_t lowest;
  std::uint64_t highest;
};

/// Both ends in milliseconds.
struct time_range {
  milliseconds shortest;
  milliseconds longest;
};

/// Declares options of one group: binds each to a member of the group's struct inside `Values`.
/// What is returned may be changed further: its flag, whether it is secret.
template <class Values, class Group>
class declaring {
 public:
  using option = option_of<Values>;
  using option_group = option_group_of<Values>;

  declaring(std::string name, std::string help, Group Values::*where)
      : group_{std::move(name), std::move(help), {}}, where_(where) {}

  option& text(const char* name, std::string Group::*field, const char* help) {
    return add(option_kind::text, name, help, field);
  }
  option& texts(const char* name, std::vector<std::string> Group::*field, const char* help) {
    return add(option_kind::texts, name, help, field);
  }
  /// A text that may be given several times.
  option& repeated(const char* name, std::vector<std::string> Group::*field, const char* help) {
    option& made = declare(option_kind::text, name, help);
    made.many = true;
    made.assign = [where = where_, field](Values& to, const option_value& value) {
      ((to.*where).*field).push_back(std::get<std::string>(value));
    };
    made.read = [where = where_, field](const Values& from) -> option_value {
      return (from.*where).*field;
    };
    return made;
  }
  option& boolean(const char* name, bool Group::*field, const char* help) {
    return add(option_kind::boolean, name, help, field);
  }
  template <std::unsigned_integral Number>
  option& count(const char* name, Number Group::*field, count_range limits, const char* help) {
    return number(option_kind::count, name, field, limits, help);
  }
  option& size(const char* name, byte_count Group::*field, count_range limits, const char* help) {
    return number(option_kind::size, name, field, limits, help);
  }
  option& duration(const char* name, milliseconds Group::*field, time_range limits,
                   const char* help) {
    option& made = declare(option_kind::duration, name, help);
    made.lowest = static_cast<std::uint64_t>(limits.shortest.count());
    made.highest = static_cast<std::uint64_t>(limits.longest.count());
    made.assign = [where = where_, field](Values& to, const option_value& value) {
      (to.*where).*field = milliseconds(static_cast<std::int64_t>(std::get<std::uint64_t>(value)));
    };
    made.read = [where = where_, field](const Values& from) -> option_value {
      return static_cast<std::uint64_t>(((from.*where).*field).count());
    };
    return made;
  }
  option& fraction(const char* name, double Group::*field, double lowest, double highest,
                   const char* help) {
    option& made = add(option_kind::fraction, name, help, field);
    made.lowest_fraction = lowest;
    made.highest_fraction = highest;
    return made;
  }
  /// `choices` in the order of the enumeration, which begins at 0.
  template <class Enum>
  option& choice(const char* name, Enum Group::*field, std::vector<std::string> choices,
                 const char* help) {
    option& made = declare(option_kind::choice, name, help);
    made.choices = std::move(choices);
    bind_number(made, field);
    return made;
  }

  option_group take() { return std::move(group_); }

 private:
  option& declare(option_kind kind, const char* name, const char* help) {
    option made;
    made.group = group_.name;
    made.name = name;
    made.flag = name;
    std::replace(made.flag.begin(), made.flag.end(), '_', '-');
    made.kind = kind;
    made.help = help;
    return group_.options.emplace_back(std::move(made));
  }

  template <class Field>
  option& add(option_kind kind, const char* name, const char* help, Field Group::*field) {
    option& made = declare(kind, name, help);
    made.assign = [where = where_, field](Values& to, const option_value& value) {
      (to.*where).*field = std::get<Field>(value);
    };
    made.read = [where = where_, field](const Values& from) -> option_value {
      return (from.*where).*field;
    };
    return made;
  }

  template <class Number>
  option& number(option_kind kind, const char* name, Number Group::*field, count_range limits,
                 const char* help) {
    if (limits.highest > std::numeric_limits<Number>::max())
      throw std::logic_error(std::string(name) + " allows more than its field holds");
    option& made = declare(kind, name, help);
    made.lowest = limits.lowest;
    made.highest = limits.highest;
    bind_number(made, field);
    return made;
  }

  template <class Number>
  void bind_number(option& made, Number Group::*field) {
    made.assign = [where = where_, field](Values& to, const option_value& value) {
      (to.*where).*field = static_cast<Number>(std::get<std::uint64_t>(value));
    };
    made.read = [where = where_, field](const Values& from) -> option_value {
      return static_cast<std::uint64_t>((from.*where).*field);
    };
  }

  option_group group_;
  Group Values::*where_;
};

} // namespace troupe
