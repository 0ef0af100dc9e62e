// None of them reads anything but its arguments and the one clock reading of this rendering.
#include "model/template/globals.hpp"

#include "model/template/operators.hpp"
#include "model/template/print.hpp"

#include <fmt/format.h>

namespace troupe::jinja {
namespace {

constexpr std::int64_t longest_range = 100'000;

value global_range(runtime& run, const value&, const arguments& given) {
  const auto bound = bind("range", given, {"start", "stop", "step"}, 1);
  std::int64_t numbers[3] = {0, 0, 1};
  for (std::size_t i = 0; i < 3; ++i) {
    if (bound[i] && is_undefined(*bound[i])) fail_undefined(*bound[i]);
    if (bound[i] && !as_integer(*bound[i], numbers[i]))
      throw fault(fmt::format("range needs integers, not a {}", type_name(*bound[i])));
  }
  if (!bound[1]) std::swap(numbers[0], numbers[1]);
  const auto [start, stop, step] = numbers;
  if (step == 0) throw fault("range's step must not be 0");
  const bool runs = step > 0 ? start < stop : start > stop;
  const auto unsigned_of = [](std::int64_t n) { return static_cast<std::uint64_t>(n); };
  const std::uint64_t distance =
      step > 0 ? unsigned_of(stop) - unsigned_of(start) : unsigned_of(start) - unsigned_of(stop);
  const std::uint64_t stride = step > 0 ? unsigned_of(step) : 0 - unsigned_of(step);
  const std::uint64_t count = runs ? (distance - 1) / stride + 1 : 0;
  if (count > longest_range)
    throw fault(fmt::format("a range of more than {} numbers is refused; use a shorter one",
                            longest_range));
  std::vector<value> items;
  run.budget.step(count / 8);
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(count); ++i)
    items.emplace_back(start + i * step);
  return run.make_sequence(sequence_form::range, std::move(items));
}

void fill(runtime& run, dict& made, const arguments& given) {
  if (given.positional.size() > 1) throw fault("dict and namespace take one dict and names");
  if (!given.positional.empty()) {
    if (const dict* other = as_dict(given.positional[0])) {
      run.grow(other->size());
      for (const auto& [key, held] : other->entries()) made.set(key, held);
    } else {
      for (const value& pair : items_of(run, given.positional[0])) {
        const std::vector<value> both = items_of(run, pair);
        if (both.size() != 2) throw fault("dict and namespace need pairs of a key and a value");
        run.grow();
        made.set(both[0], both[1]);
      }
    }
  }
  for (const auto& [name, held] : given.named) {
    run.grow();
    made.set(run.make(name), held);
  }
}

value global_namespace(runtime& run, const value&, const arguments& given) {
  space* made = run.make_space();
  fill(run, made->attributes, given);
  return made;
}

value global_dict(runtime& run, const value&, const arguments& given) {
  dict* made = run.make_dict();
  fill(run, *made, given);
  return made;
}

value global_raise(runtime& run, const value&, const arguments& given) {
  const auto bound = bind("raise_exception", given, {"message"}, 1);
  throw refusal(
      fmt::format("the template refuses this conversation: {}", to_text(run, *bound[0]).view()));
}

value global_strftime(runtime& run, const value&, const arguments& given) {
  const auto bound = bind("strftime_now", given, {"format"}, 1);
  const text* pattern = as_text(*bound[0]);
  if (!pattern || pattern->size() > 256)
    throw fault("strftime_now needs a format of at most 256 bytes");
  if (pattern->empty()) return text();
  char buffer[4096];
  const std::size_t size =
      std::strftime(buffer, sizeof buffer, std::string(pattern->view()).c_str(), &run.now());
  return make_text(run.budget, std::string_view(buffer, size), pattern->has_untrusted());
}

/// `self` is the joiner's state: a list of the separator, and of a second item once it was called.
value run_joiner(runtime&, const value& self, const arguments& given) {
  bind("joiner", given, {});
  sequence& state = *as_sequence(self);
  const bool first = state.items.size() == 1;
  if (first) {
    state.items.emplace_back(true);
    return text();
  }
  return state.items[0];
}

value global_joiner(runtime& run, const value&, const arguments& given) {
  const auto bound = bind("joiner", given, {"sep"});
  return run.make_function("joiner", run_joiner,
                           run.make_list({bound[0] ? *bound[0] : value(run.make(", "))}));
}

struct global_entry {
  std::string_view name;
  native run;
};

constexpr global_entry entries[] = {
    {"range", global_range},           {"namespace", global_namespace}, {"dict", global_dict},
    {"raise_exception", global_raise}, {"joiner", global_joiner},
};

} // namespace

value find_global(runtime& run, std::string_view name, bool has_clock) {
  if (has_clock && name == "strftime_now")
    return run.make_function("strftime_now", global_strftime, none{});
  for (const global_entry& entry : entries) {
    if (entry.name == name) return run.make_function(entry.name, entry.run, none{});
  }
  return undefined{};
}

} // namespace troupe::jinja
