// Allocation under the budget, iteration, and the binding of arguments to parameters.
#include "model/template/runtime.hpp"

#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::jinja {

sequence* runtime::make_sequence(sequence_form form, std::vector<value> items) {
  budget.take(sizeof(sequence) + items.size() * sizeof(value));
  budget.step(items.size() / 16);
  sequences_.push_back({form, std::move(items), 0});
  return &sequences_.back();
}

dict* runtime::make_dict() {
  budget.take(sizeof(dict));
  return &dicts_.emplace_back(budget);
}

space* runtime::make_space() {
  budget.take(sizeof(space));
  return &spaces_.emplace_back(budget);
}

function* runtime::make_function(std::string_view name, native run, value self) {
  budget.take(sizeof(function));
  functions_.push_back({name, run, std::move(self)});
  return &functions_.back();
}

const std::tm& runtime::now() {
  if (!now_) now_ = clock_();
  return *now_;
}

std::vector<value> items_of(runtime& run, const value& from) {
  std::vector<value> out;
  if (sequence* items = as_sequence(from)) {
    run.budget.step(items->items.size());
    if (items->form == sequence_form::generator) {
      out.assign(items->items.begin() + static_cast<std::ptrdiff_t>(items->taken),
                 items->items.end());
      items->taken = items->items.size();
      return out;
    }
    return items->items;
  }
  if (const dict* entries = as_dict(from)) {
    run.budget.step(entries->size());
    out.reserve(entries->size());
    for (const auto& [key, held] : entries->entries()) out.push_back(key);
    return out;
  }
  if (const text* whole = as_text(from)) {
    for (std::size_t at = 0; at < whole->size();) {
      run.budget.step();
      const std::size_t size = decode(whole->view(), at).size;
      out.emplace_back(slice_bytes(run.budget, *whole, at, at + size));
      at += size;
    }
    return out;
  }
  if (is_undefined(from)) return out;
  throw fault(fmt::format("a {} cannot be iterated; test it before", type_name(from)));
}

std::vector<const value*> bind(std::string_view callee, const arguments& given,
                               std::initializer_list<std::string_view> names,
                               std::size_t required) {
  std::vector<const value*> bound(names.size(), nullptr);
  if (given.positional.size() > names.size()) {
    throw fault(fmt::format("{} takes at most {} arguments, not {}", callee, names.size(),
                            given.positional.size()));
  }
  for (std::size_t i = 0; i < given.positional.size(); ++i) bound[i] = &given.positional[i];
  for (const auto& [name, held] : given.named) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw fault(fmt::format("{} has no argument \"{}\"; remove it", callee, name));
    const value*& place = bound[static_cast<std::size_t>(found - names.begin())];
    if (place)
      throw fault(fmt::format("{} gets its argument \"{}\" twice; remove one", callee, name));
    place = &held;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (!bound[i])
      throw fault(fmt::format("{} needs its argument \"{}\"; add it", callee, names.begin()[i]));
  }
  return bound;
}

} // namespace troupe::jinja
