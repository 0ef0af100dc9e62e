// The tests of `is`: defined, string, mapping, ...
#pragma once

#include "model/template/runtime.hpp"

#include <string_view>

namespace troupe::jinja {

struct test_entry {
  std::string_view name;
  bool (*run)(runtime&, const value&, const arguments&);
};

/// Null where there is none of that name.
const test_entry* find_test(std::string_view name);

} // namespace troupe::jinja
