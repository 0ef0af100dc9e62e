// A container may come to hold itself; printing and comparing are bounded for that reason, and the
// heap owns both.
#include "model/template/container_methods.hpp"

#include "model/template/operators.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::jinja {
namespace {

std::vector<value>& items(const value& self) { return as_sequence(self)->items; }
dict& entries(const value& self) { return *as_dict(self); }

std::int64_t whole_number(const value& v) {
  std::int64_t whole = 0;
  if (!as_integer(v, whole))
    throw fault(fmt::format("a position must be a number, not a {}", type_name(v)));
  return whole;
}

value list_append(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("append", given, {"item"}, 1);
  run.grow();
  items(self).push_back(*bound[0]);
  return none{};
}

value list_extend(runtime& run, const value& self, const arguments& given) {
  const std::vector<value> more = items_of(run, *bind("extend", given, {"items"}, 1)[0]);
  run.grow(more.size());
  items(self).insert(items(self).end(), more.begin(), more.end());
  return none{};
}

value list_insert(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("insert", given, {"index", "item"}, 2);
  const auto size = static_cast<std::int64_t>(items(self).size());
  std::int64_t at = whole_number(*bound[0]);
  if (at < 0) at += size;
  run.grow();
  run.budget.step(items(self).size() / 16);
  items(self).insert(items(self).begin() + std::clamp<std::int64_t>(at, 0, size), *bound[1]);
  return none{};
}

value list_pop(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("pop", given, {"index"});
  const auto size = static_cast<std::int64_t>(items(self).size());
  std::int64_t at = bound[0] ? whole_number(*bound[0]) : -1;
  if (at < 0) at += size;
  if (at < 0 || at >= size)
    throw fault("pop() asks for an item that the list does not have; test its length before");
  run.budget.step(items(self).size() / 16);
  value taken = items(self)[static_cast<std::size_t>(at)];
  items(self).erase(items(self).begin() + at);
  return taken;
}

value list_remove(runtime& run, const value& self, const arguments& given) {
  const value& wanted = *bind("remove", given, {"item"}, 1)[0];
  run.budget.step(items(self).size() / 16);
  const auto found = std::find_if(items(self).begin(), items(self).end(),
                                  [&](const value& own) { return equal(run.budget, own, wanted); });
  if (found == items(self).end())
    throw fault("remove() did not find its item; test with \"in\" before");
  items(self).erase(found);
  return none{};
}

value list_reverse(runtime& run, const value& self, const arguments& given) {
  bind("reverse", given, {});
  run.budget.step(items(self).size());
  std::reverse(items(self).begin(), items(self).end());
  return none{};
}

value list_clear(runtime&, const value& self, const arguments& given) {
  bind("clear", given, {});
  items(self).clear();
  return none{};
}

value list_copy(runtime& run, const value& self, const arguments& given) {
  bind("copy", given, {});
  return run.make_list(items(self));
}

value list_index(runtime& run, const value& self, const arguments& given) {
  const value& wanted = *bind("index", given, {"item"}, 1)[0];
  run.budget.step(items(self).size() / 16);
  const auto found = std::find_if(items(self).begin(), items(self).end(),
                                  [&](const value& own) { return equal(run.budget, own, wanted); });
  if (found == items(self).end())
    throw fault("index() did not find its item; test with \"in\" before");
  return static_cast<std::int64_t>(found - items(self).begin());
}

value list_count(runtime& run, const value& self, const arguments& given) {
  const value& wanted = *bind("count", given, {"item"}, 1)[0];
  run.budget.step(items(self).size() / 16);
  return static_cast<std::int64_t>(
      std::count_if(items(self).begin(), items(self).end(),
                    [&](const value& own) { return equal(run.budget, own, wanted); }));
}

value dict_items(runtime& run, const value& self, const arguments& given) {
  bind("items", given, {});
  std::vector<value> pairs;
  for (const auto& [key, held] : entries(self).entries())
    pairs.emplace_back(run.make_tuple({key, held}));
  return run.make_sequence(sequence_form::dict_items, std::move(pairs));
}

value dict_keys(runtime& run, const value& self, const arguments& given) {
  bind("keys", given, {});
  return run.make_sequence(sequence_form::dict_keys, items_of(run, self));
}

value dict_values(runtime& run, const value& self, const arguments& given) {
  bind("values", given, {});
  std::vector<value> held;
  for (const auto& entry : entries(self).entries()) held.push_back(entry.second);
  return run.make_sequence(sequence_form::dict_values, std::move(held));
}

value dict_get(runtime&, const value& self, const arguments& given) {
  const auto bound = bind("get", given, {"key", "default"}, 1);
  if (const value* found = entries(self).find(*bound[0])) return *found;
  return bound[1] ? *bound[1] : value(none{});
}

value dict_pop(runtime&, const value& self, const arguments& given) {
  const auto bound = bind("pop", given, {"key", "default"}, 1);
  if (const value* found = entries(self).find(*bound[0])) {
    value taken = *found;
    entries(self).erase(*bound[0]);
    return taken;
  }
  if (!bound[1]) throw fault("pop() asks for a key that the dict does not have; give it a default");
  return *bound[1];
}

value dict_setdefault(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("setdefault", given, {"key", "default"}, 1);
  if (const value* found = entries(self).find(*bound[0])) return *found;
  run.grow();
  entries(self).set(*bound[0], bound[1] ? *bound[1] : value(none{}));
  return *entries(self).find(*bound[0]);
}

void merge(runtime& run, dict& into, const value& from) {
  if (const dict* other = as_dict(from)) {
    const std::vector<dict::entry> copied = other->entries();
    run.grow(copied.size());
    for (const auto& [key, held] : copied) into.set(key, held);
    return;
  }
  for (const value& pair : items_of(run, from)) {
    const std::vector<value> both = items_of(run, pair);
    if (both.size() != 2) throw fault("update() needs pairs of a key and a value");
    run.grow();
    into.set(both[0], both[1]);
  }
}

value dict_update(runtime& run, const value& self, const arguments& given) {
  if (given.positional.size() > 1) throw fault("update() takes one dict");
  if (!given.positional.empty()) merge(run, entries(self), given.positional[0]);
  for (const auto& [name, held] : given.named) {
    run.grow();
    entries(self).set(run.make(name), held);
  }
  return none{};
}

value dict_copy(runtime& run, const value& self, const arguments& given) {
  bind("copy", given, {});
  dict* copied = run.make_dict();
  merge(run, *copied, self);
  return copied;
}

value dict_clear(runtime&, const value& self, const arguments& given) {
  bind("clear", given, {});
  entries(self).clear();
  return none{};
}

struct method_entry {
  std::string_view name;
  native run;
};

constexpr method_entry list_methods[] = {
    {"append", list_append}, {"extend", list_extend}, {"insert", list_insert},
    {"pop", list_pop},       {"remove", list_remove}, {"reverse", list_reverse},
    {"clear", list_clear},   {"copy", list_copy},
};
constexpr method_entry tuple_methods[] = {{"index", list_index}, {"count", list_count}};
constexpr method_entry dict_methods[] = {
    {"get", dict_get},       {"items", dict_items}, {"keys", dict_keys},
    {"values", dict_values}, {"pop", dict_pop},     {"setdefault", dict_setdefault},
    {"update", dict_update}, {"copy", dict_copy},   {"clear", dict_clear},
};

} // namespace

native find_sequence_method(const sequence& self, std::string_view name) {
  if (self.form == sequence_form::list) {
    for (const method_entry& entry : list_methods) {
      if (entry.name == name) return entry.run;
    }
  }
  if (self.form > sequence_form::range) return nullptr;
  for (const method_entry& entry : tuple_methods) {
    if (entry.name == name) return entry.run;
  }
  return nullptr;
}

native find_dict_method(std::string_view name) {
  for (const method_entry& entry : dict_methods) {
    if (entry.name == name) return entry.run;
  }
  return nullptr;
}

} // namespace troupe::jinja
