// The dictionary, and the small questions every operation asks of a value.
#include "model/template/value.hpp"

#include "model/template/operators.hpp"

namespace troupe::jinja {
namespace {

constexpr std::size_t hashed_from = 9;
constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

} // namespace

std::size_t dict::position(std::string_view key) const {
  if (entries_.size() >= hashed_from) {
    const auto found = by_text_.find(key);
    return found == by_text_.end() ? nowhere : found->second;
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const text* own = as_text(entries_[i].first);
    if (own && own->view() == key) return i;
  }
  return nowhere;
}

std::size_t dict::position(const value& key) const {
  if (const text* wanted = as_text(key)) return position(wanted->view());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!as_text(entries_[i].first) && equal(*budget_, entries_[i].first, key)) return i;
  }
  return nowhere;
}

void dict::index(std::size_t from) {
  if (entries_.size() < hashed_from) return;
  for (std::size_t i = from; i < entries_.size(); ++i) {
    if (const text* key = as_text(entries_[i].first)) by_text_[key->view()] = i;
  }
}

const value* dict::find(const value& key) const {
  const std::size_t at = position(key);
  return at == nowhere ? nullptr : &entries_[at].second;
}

const value* dict::find(std::string_view key) const {
  const std::size_t at = position(key);
  return at == nowhere ? nullptr : &entries_[at].second;
}

void dict::set(const value& key, value to) {
  const std::size_t at = position(key);
  if (at != nowhere) {
    entries_[at].second = std::move(to);
    return;
  }
  entries_.emplace_back(key, std::move(to));
  index(entries_.size() == hashed_from ? 0 : entries_.size() - 1);
}

bool dict::erase(const value& key) {
  const std::size_t at = position(key);
  if (at == nowhere) return false;
  by_text_.clear();
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(at));
  index(0);
  return true;
}

void dict::clear() {
  by_text_.clear();
  entries_.clear();
}

bool as_integer(const value& v, std::int64_t& out) {
  if (const auto* whole = std::get_if<std::int64_t>(&v)) {
    out = *whole;
    return true;
  }
  if (const auto* flag = std::get_if<bool>(&v)) {
    out = *flag ? 1 : 0;
    return true;
  }
  return false;
}

bool as_real(const value& v, double& out) {
  if (const auto* real = std::get_if<double>(&v)) {
    out = *real;
    return true;
  }
  std::int64_t whole = 0;
  if (!as_integer(v, whole)) return false;
  out = static_cast<double>(whole);
  return true;
}

std::string_view type_name(const value& v) {
  static constexpr std::string_view names[] = {"undefined", "None",     "bool",  "int",
                                               "float",     "str",      "list",  "dict",
                                               "namespace", "function", "macro", "loop"};
  static constexpr std::string_view forms[] = {"list",      "tuple",       "range",     "generator",
                                               "dict_keys", "dict_values", "dict_items"};
  if (const sequence* items = as_sequence(v)) return forms[static_cast<std::size_t>(items->form)];
  return names[v.index()];
}

} // namespace troupe::jinja
