// The filters of `|`: join, tojson, selectattr, ... One table, put together from three families.
#pragma once

#include "model/template/runtime.hpp"

#include <span>
#include <string_view>

namespace troupe::jinja {

struct filter_entry {
  std::string_view name;
  native run; ///< self is the value before the bar.
};

/// Null where there is none of that name.
const filter_entry* find_filter(std::string_view name);

std::span<const filter_entry> text_filters();
std::span<const filter_entry> sequence_filters();
std::span<const filter_entry> value_filters();

} // namespace troupe::jinja
