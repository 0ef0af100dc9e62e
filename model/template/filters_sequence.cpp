// Filters on sequences. What Jinja makes lazily is a generator here too, so that it has no length
// and is visited once; its items, however, are worked out at once.
#include "model/template/access.hpp"
#include "model/template/filters.hpp"
#include "model/template/operators.hpp"
#include "model/template/print.hpp"
#include "model/template/tests.hpp"
#include "model/template/text_methods.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace troupe::jinja {
namespace {

value generator(runtime& run, std::vector<value> items) {
  return run.make_sequence(sequence_form::generator, std::move(items));
}

bool flag(const value* v) { return v && truth(*v); }

/// What items are compared by: the item or a path into it, without case unless asked.
class sort_key {
 public:
  sort_key(runtime& run, const value* path, bool case_sensitive, const value* fallback = nullptr)
      : run_(run), path_(path && !is_none(*path) ? path : nullptr), case_sensitive_(case_sensitive),
        fallback_(fallback) {}

  value operator()(const value& item) const {
    value key = path_ ? get_path(run_, item, *path_) : item;
    if (is_undefined(key) && fallback_) key = *fallback_;
    if (!case_sensitive_ && as_text(key)) return lower(run_, *as_text(key));
    return key;
  }

 private:
  runtime& run_;
  const value* path_;
  bool case_sensitive_;
  const value* fallback_;
};

using keyed = std::vector<std::pair<value, value>>;

/// Stable, and stable in reverse too, as Python's sorted(). With `equal_first`, keys that are equal
/// need have no order.
void sort_by_key(runtime& run, keyed& items, bool reverse, bool equal_first = false) {
  run.budget.step(items.size() * 4);
  if (reverse) std::reverse(items.begin(), items.end());
  std::stable_sort(items.begin(), items.end(), [&](const auto& a, const auto& b) {
    return !(equal_first && equal(run.budget, a.first, b.first)) &&
           less(run.budget, a.first, b.first);
  });
  if (reverse) std::reverse(items.begin(), items.end());
}

std::vector<value> second_of(const keyed& items) {
  std::vector<value> out;
  for (const auto& [key, item] : items) out.push_back(item);
  return out;
}

value filter_join(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("join", given, {"d", "attribute"});
  std::vector<text> parts;
  for (const value& item : items_of(run, self)) {
    const bool path = bound[1] && !is_none(*bound[1]);
    parts.push_back(to_text(run, path ? get_path(run, item, *bound[1]) : item));
  }
  return join(run, bound[0] ? to_text(run, *bound[0]) : text(), parts);
}

value filter_list(runtime& run, const value& self, const arguments& given) {
  bind("list", given, {});
  return run.make_list(items_of(run, self));
}

value filter_first(runtime& run, const value& self, const arguments& given) {
  bind("first", given, {});
  if (sequence* items = as_sequence(self); items && items->form == sequence_form::generator) {
    return items->taken < items->items.size() ? items->items[items->taken++] : value(undefined{});
  }
  const std::vector<value> items = items_of(run, self);
  return items.empty() ? value(undefined{}) : items.front();
}

value filter_last(runtime& run, const value& self, const arguments& given) {
  bind("last", given, {});
  const sequence* made = as_sequence(self);
  if (made && made->form == sequence_form::generator)
    throw fault("last needs a list; add |list before it");
  if (is_undefined(self)) return undefined{};
  const std::vector<value> items = items_of(run, self);
  return items.empty() ? value(undefined{}) : items.back();
}

value filter_reverse(runtime& run, const value& self, const arguments& given) {
  bind("reverse", given, {});
  if (as_text(self)) {
    const value back = std::int64_t{-1};
    return get_slice(run, self, none{}, none{}, back);
  }
  std::vector<value> items = items_of(run, self);
  std::reverse(items.begin(), items.end());
  return generator(run, std::move(items));
}

value filter_items(runtime& run, const value& self, const arguments& given) {
  bind("items", given, {});
  if (is_undefined(self)) return generator(run, {});
  const dict* entries = as_dict(self);
  if (!entries)
    throw fault(fmt::format("items needs a dict, not a {}; test it with \"is mapping\" before",
                            type_name(self)));
  std::vector<value> pairs;
  for (const auto& [key, held] : entries->entries())
    pairs.emplace_back(run.make_tuple({key, held}));
  return generator(run, std::move(pairs));
}

value filter_dictsort(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("dictsort", given, {"case_sensitive", "by", "reverse"});
  const dict* entries = as_dict(self);
  if (is_undefined(self)) fail_undefined(self);
  if (!entries)
    throw fault(fmt::format("dictsort needs a dict, not a {}; test it with \"is mapping\" before",
                            type_name(self)));
  const std::string_view by = bound[1] && as_text(*bound[1]) ? as_text(*bound[1])->view() : "key";
  if (by != "key" && by != "value") throw fault("dictsort sorts by \"key\" or by \"value\"");
  const sort_key key_of(run, nullptr, flag(bound[0]));
  keyed items;
  for (const auto& [key, held] : entries->entries()) {
    items.emplace_back(key_of(by == "key" ? key : held), run.make_tuple({key, held}));
  }
  sort_by_key(run, items, flag(bound[2]));
  return run.make_list(second_of(items));
}

value filter_sort(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("sort", given, {"reverse", "case_sensitive", "attribute"});
  std::vector<value> paths;
  if (bound[2] && as_text(*bound[2])) {
    arguments separator;
    separator.positional.emplace_back(run.make(","));
    paths = items_of(run, find_text_method("split")(run, *bound[2], separator));
  } else if (bound[2] && !is_none(*bound[2])) {
    paths.push_back(*bound[2]);
  }
  keyed items;
  for (const value& item : items_of(run, self)) {
    if (paths.size() <= 1) {
      items.emplace_back(
          sort_key(run, paths.empty() ? nullptr : paths.data(), flag(bound[1]))(item), item);
      continue;
    }
    std::vector<value> keys;
    for (const value& path : paths) keys.push_back(sort_key(run, &path, flag(bound[1]))(item));
    items.emplace_back(run.make_list(std::move(keys)), item);
  }
  sort_by_key(run, items, flag(bound[0]), true);
  return run.make_list(second_of(items));
}

value filter_unique(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("unique", given, {"case_sensitive", "attribute"});
  const sort_key key_of(run, bound[1], flag(bound[0]));
  std::vector<value> out;
  dict* seen = run.make_dict();
  for (const value& item : items_of(run, self)) {
    const value key = key_of(item);
    if (as_dict(key) || (as_sequence(key) && as_sequence(key)->form == sequence_form::list)) {
      throw fault(
          fmt::format("unique cannot tell a {} from another; use its attribute", type_name(key)));
    }
    run.budget.step(as_text(key) ? 1 : seen->size() / 16 + 1);
    if (seen->find(key)) continue;
    seen->set(key, none{});
    out.push_back(item);
  }
  return generator(run, std::move(out));
}

template <bool Greatest>
value filter_extreme(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("min and max", given, {"case_sensitive", "attribute"});
  const sort_key key_of(run, bound[1], flag(bound[0]));
  const std::vector<value> items = items_of(run, self);
  if (items.empty()) return undefined{};
  value best = items.front();
  value best_key = key_of(best);
  for (std::size_t i = 1; i < items.size(); ++i) {
    value key = key_of(items[i]);
    if (!(Greatest ? less(run.budget, best_key, key) : less(run.budget, key, best_key))) continue;
    best = items[i];
    best_key = std::move(key);
  }
  return best;
}

value filter_sum(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("sum", given, {"attribute", "start"});
  value total = bound[1] ? *bound[1] : value(std::int64_t{0});
  if (as_text(total)) throw fault("sum adds no texts; use join");
  for (const value& item : items_of(run, self)) {
    const bool path = bound[0] && !is_none(*bound[0]);
    total = arithmetic(run, operation::add, total, path ? get_path(run, item, *bound[0]) : item);
  }
  return total;
}

value filter_batch(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("batch", given, {"linecount", "fill_with"}, 1);
  std::int64_t count = 0;
  if (!as_integer(*bound[0], count) || count < 1) throw fault("batch needs a count of at least 1");
  std::vector<value> rows;
  std::vector<value> row;
  for (value& item : items_of(run, self)) {
    if (static_cast<std::int64_t>(row.size()) == count)
      rows.emplace_back(run.make_list(std::exchange(row, {})));
    row.push_back(std::move(item));
  }
  if (!row.empty()) {
    while (bound[1] && !is_none(*bound[1]) && static_cast<std::int64_t>(row.size()) < count) {
      run.budget.step();
      row.push_back(*bound[1]);
    }
    rows.emplace_back(run.make_list(std::move(row)));
  }
  return generator(run, std::move(rows));
}

value filter_groupby(runtime& run, const value& self, const arguments& given) {
  const auto bound = bind("groupby", given, {"attribute", "default", "case_sensitive"}, 1);
  const value* fallback = bound[1] && !is_none(*bound[1]) ? bound[1] : nullptr;
  const sort_key key_of(run, bound[0], flag(bound[2]), fallback);
  const sort_key shown(run, bound[0], true, fallback);
  keyed items;
  for (const value& item : items_of(run, self)) items.emplace_back(key_of(item), item);
  sort_by_key(run, items, false);
  std::vector<value> groups;
  for (std::size_t begin = 0; begin < items.size();) {
    std::vector<value> members;
    std::size_t end = begin;
    for (; end < items.size() && equal(run.budget, items[begin].first, items[end].first); ++end)
      members.push_back(items[end].second);
    groups.emplace_back(
        run.make_tuple({shown(items[begin].second), run.make_list(std::move(members))}));
    begin = end;
  }
  return run.make_list(std::move(groups));
}

value filter_map(runtime& run, const value& self, const arguments& given) {
  std::vector<value> out;
  if (!truth(self)) return generator(run, {});
  if (given.positional.empty()) {
    const auto bound = bind("map", given, {"attribute", "default"});
    if (!bound[0]) throw fault("map needs the name of a filter, or attribute=");
    const value* fallback = bound[1] && !is_none(*bound[1]) ? bound[1] : nullptr;
    for (const value& item : items_of(run, self))
      out.push_back(sort_key(run, bound[0], true, fallback)(item));
    return generator(run, std::move(out));
  }
  const text* name = as_text(given.positional[0]);
  const filter_entry* filter = name ? find_filter(name->view()) : nullptr;
  if (!filter) throw fault("map needs the name of a filter that exists");
  const nested level(run.budget);
  arguments passed{{given.positional.begin() + 1, given.positional.end()}, given.named};
  for (const value& item : items_of(run, self)) out.push_back(filter->run(run, item, passed));
  return generator(run, std::move(out));
}

/// select, reject, selectattr and rejectattr.
template <bool Wanted, bool Attribute>
value filter_select(runtime& run, const value& self, const arguments& given) {
  if (!truth(self)) return generator(run, {});
  const std::size_t named_at = Attribute ? 1 : 0;
  if (given.positional.size() < named_at)
    throw fault("selectattr and rejectattr need the attribute's name");
  const test_entry* test = nullptr;
  arguments passed;
  if (given.positional.size() > named_at) {
    const text* name = as_text(given.positional[named_at]);
    test = name ? find_test(name->view()) : nullptr;
    if (!test) throw fault("select and reject need the name of a test that exists");
    passed.positional.assign(given.positional.begin() + static_cast<std::ptrdiff_t>(named_at) + 1,
                             given.positional.end());
    passed.named = given.named;
  }
  std::vector<value> out;
  for (const value& item : items_of(run, self)) {
    run.budget.step();
    const value asked = Attribute ? get_path(run, item, given.positional[0]) : item;
    if ((test ? test->run(run, asked, passed) : truth(asked)) == Wanted) out.push_back(item);
  }
  return generator(run, std::move(out));
}

constexpr filter_entry entries[] = {
    {"join", filter_join},
    {"list", filter_list},
    {"first", filter_first},
    {"last", filter_last},
    {"reverse", filter_reverse},
    {"items", filter_items},
    {"dictsort", filter_dictsort},
    {"sort", filter_sort},
    {"unique", filter_unique},
    {"min", filter_extreme<false>},
    {"max", filter_extreme<true>},
    {"sum", filter_sum},
    {"batch", filter_batch},
    {"groupby", filter_groupby},
    {"map", filter_map},
    {"select", filter_select<true, false>},
    {"reject", filter_select<false, false>},
    {"selectattr", filter_select<true, true>},
    {"rejectattr", filter_select<false, true>},
};

} // namespace

std::span<const filter_entry> sequence_filters() { return entries; }

} // namespace troupe::jinja
