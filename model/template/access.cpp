// A dot prefers methods to entries and brackets prefer entries to methods, as in Jinja:
// `message.items` is the method even where the caller sent a key "items".
#include "model/template/access.hpp"

#include "model/template/container_methods.hpp"
#include "model/template/evaluator_types.hpp"
#include "model/template/operators.hpp"
#include "model/template/text_methods.hpp"
#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace troupe::jinja {
namespace {

value method_of(runtime& run, const value& of, std::string_view name) {
  native found = nullptr;
  if (as_text(of)) {
    found = find_text_method(name);
  } else if (as_dict(of)) {
    found = find_dict_method(name);
  } else if (const sequence* items = as_sequence(of)) {
    found = find_sequence_method(*items, name);
  }
  if (!found) return undefined{};
  return run.make_function("method", found, of);
}

void refuse_internal(std::string_view name) {
  if (name.starts_with("__"))
    throw fault(
        fmt::format("the attribute \"{}\" is refused; names beginning with __ are internal", name));
}

const value* entry_of(const value& of, const value& key) {
  if (const dict* entries = as_dict(of)) return entries->find(key);
  if (const auto* made = std::get_if<space*>(&of)) return (*made)->attributes.find(key);
  return nullptr;
}

bool position(const value& key, std::size_t size, std::size_t& out) {
  std::int64_t at = 0;
  if (!as_integer(key, at)) return false;
  if (at < 0) at += static_cast<std::int64_t>(size);
  if (at < 0 || at >= static_cast<std::int64_t>(size)) return false;
  out = static_cast<std::size_t>(at);
  return true;
}

} // namespace

value get_attribute(runtime& run, const value& of, const text& name, const std::string& spelled) {
  if (is_undefined(of)) fail_undefined(of);
  value method = method_of(run, of, name.view());
  if (!is_undefined(method)) return method;
  refuse_internal(name.view());
  if (const value* found = entry_of(of, name)) return *found;
  return undefined{&spelled};
}

value get_item(runtime& run, const value& of, const value& key) {
  if (is_undefined(of)) fail_undefined(of);
  std::size_t at = 0;
  if (const value* found = entry_of(of, key)) return *found;
  if (const sequence* items = as_sequence(of); items && items->form <= sequence_form::range) {
    if (position(key, items->items.size(), at)) return items->items[at];
  } else if (const text* whole = as_text(of)) {
    if (!whole->ascii()) run.budget.scan(whole->size());
    if (position(key, whole->length(), at)) {
      const std::size_t begin = whole->ascii() ? at : byte_of_code_point(whole->view(), at);
      return slice_bytes(run.budget, *whole, begin, begin + decode(whole->view(), begin).size);
    }
  }
  if (const text* name = as_text(key)) {
    refuse_internal(name->view());
    return method_of(run, of, name->view());
  }
  return undefined{};
}

value get_slice(runtime& run, const value& of, const value& begin, const value& end,
                const value& step) {
  if (is_undefined(of)) fail_undefined(of);
  const text* whole = as_text(of);
  const sequence* items = as_sequence(of);
  if (!whole && !(items && items->form <= sequence_form::range)) return undefined{};
  if (whole && !whole->ascii()) run.budget.scan(whole->size());
  const auto size = static_cast<std::int64_t>(whole ? whole->length() : items->items.size());
  std::int64_t stride = 1;
  const auto read = [](const value& v, std::int64_t& out) {
    if (is_none(v)) return false;
    if (!as_integer(v, out))
      throw fault(fmt::format("the bounds of a slice must be numbers, not {}", type_name(v)));
    return true;
  };
  read(step, stride);
  if (stride == 0) throw fault("the step of a slice is 0; use another");
  stride = std::clamp<std::int64_t>(stride, -size - 1, size + 1);
  const std::int64_t lowest = stride > 0 ? 0 : -1;
  const std::int64_t highest = stride > 0 ? size : size - 1;
  const auto bound = [&](const value& v, std::int64_t fallback) {
    std::int64_t at = 0;
    if (!read(v, at)) return fallback;
    if (at < 0) at = at < -size ? -size - 1 + size : at + size;
    return std::clamp(at, lowest, highest);
  };
  const std::int64_t first = bound(begin, stride > 0 ? 0 : size - 1);
  const std::int64_t last = bound(end, stride > 0 ? size : -1);
  if (whole && stride == 1) {
    if (first >= last) return text();
    const auto byte = [&](std::int64_t at) {
      return whole->ascii() ? static_cast<std::size_t>(at)
                            : byte_of_code_point(whole->view(), static_cast<std::size_t>(at));
    };
    return slice_bytes(run.budget, *whole, byte(first), byte(last));
  }
  const auto reaches = [&](std::int64_t at) { return stride > 0 ? at < last : at > last; };
  if (whole) {
    run.budget.step(whole->size() / 64);
    std::vector<std::size_t> starts;
    for (std::size_t at = 0; at < whole->size(); at += decode(whole->view(), at).size)
      starts.push_back(at);
    starts.push_back(whole->size());
    text_builder out(run.budget);
    for (std::int64_t at = first; reaches(at); at += stride) {
      out.append(*whole, starts[static_cast<std::size_t>(at)],
                 starts[static_cast<std::size_t>(at) + 1]);
    }
    return std::move(out).build(whole->markup());
  }
  std::vector<value> taken;
  for (std::int64_t at = first; reaches(at); at += stride)
    taken.push_back(items->items[static_cast<std::size_t>(at)]);
  run.budget.step(taken.size());
  return run.make_sequence(items->form, std::move(taken));
}

value get_path(runtime& run, const value& of, const value& path) {
  const text* whole = as_text(path);
  if (!whole) return get_item(run, of, path);
  value found = of;
  const std::string_view bytes = whole->view();
  for (std::size_t at = 0; at <= bytes.size();) {
    const std::size_t dot = std::min(bytes.find('.', at), bytes.size());
    const std::string_view part = bytes.substr(at, dot - at);
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    const bool numeric =
        error == std::errc() && stop == part.data() + part.size() && part[0] != '-';
    found = get_item(run, found,
                     numeric ? value(number) : value(slice_bytes(run.budget, *whole, at, dot)));
    at = dot + 1;
  }
  return found;
}

} // namespace troupe::jinja
