// The conversions are written out because nlohmann's own accept 1.5 for an integer and true for a
// number.
#include "model/config_reader.hpp"

#include "model/model_error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <utility>

namespace troupe {

using json = nlohmann::json;

config_reader::config_reader(const json& object, std::string where)
    : object_(&object), where_(std::move(where)) {}

const json* config_reader::find(std::string_view key) const {
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

bool config_reader::has(std::string_view key) const { return find(key) != nullptr; }

bool config_reader::names(std::string_view key) const { return object_->contains(key); }

void config_reader::refuse(std::string_view key, std::string_view must) const {
  const json* value = find(key);
  std::string shown =
      value ? value->dump(-1, ' ', true, json::error_handler_t::replace) : std::string("absent");
  if (shown.size() > 80) shown = shown.substr(0, 77) + "...";
  throw model_error(fmt::format("{}: {} is {}; {}", where_, key, shown, must));
}

std::int64_t config_reader::whole_of(const json& value, std::string_view key, std::int64_t least,
                                     std::int64_t most) const {
  const bool fits = value.is_number_unsigned()
                        ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX)
                        : value.is_number_integer();
  const std::int64_t n = fits ? value.get<std::int64_t>() : 0;
  if (!fits || n < least || n > most)
    refuse(key, fmt::format("it must be a whole number in [{}, {}]", least, most));
  return n;
}

std::int64_t config_reader::whole(std::string_view key, std::int64_t least,
                                  std::int64_t most) const {
  const json* value = find(key);
  if (!value) refuse(key, fmt::format("it must be a whole number in [{}, {}]", least, most));
  return whole_of(*value, key, least, most);
}

std::int64_t config_reader::whole_or(std::string_view key, std::int64_t absent, std::int64_t least,
                                     std::int64_t most) const {
  return has(key) ? whole(key, least, most) : absent;
}

double config_reader::number(std::string_view key, double least, double most) const {
  const json* value = find(key);
  const double n = value && value->is_number() ? value->get<double>() : std::nan("");
  if (!std::isfinite(n) || n < least || n > most)
    refuse(key, fmt::format("it must be a number in [{}, {}]", least, most));
  return n;
}

double config_reader::number_or(std::string_view key, double absent, double least,
                                double most) const {
  return has(key) ? number(key, least, most) : absent;
}

bool config_reader::flag_or(std::string_view key, bool absent) const {
  const json* value = find(key);
  if (!value) return absent;
  if (!value->is_boolean()) refuse(key, "it must be true or false");
  return value->get<bool>();
}

std::string config_reader::text_or(std::string_view key, std::string_view absent) const {
  const json* value = find(key);
  if (!value) return std::string(absent);
  if (!value->is_string()) refuse(key, "it must be a string");
  return value->get<std::string>();
}

std::vector<std::int64_t> config_reader::whole_or_list(std::string_view key, std::int64_t least,
                                                       std::int64_t most) const {
  const json* value = find(key);
  if (!value) return {};
  if (!value->is_array()) return {whole_of(*value, key, least, most)};
  if (value->empty() || value->size() > 1024) refuse(key, "its list must have 1 to 1024 entries");
  std::vector<std::int64_t> out;
  for (const json& v : *value) out.push_back(whole_of(v, key, least, most));
  return out;
}

std::optional<std::vector<std::string>> config_reader::texts(std::string_view key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  std::vector<std::string> out;
  if (!value->is_array()) refuse(key, "it must be a list of strings");
  for (const json& v : *value) {
    if (!v.is_string()) refuse(key, "it must be a list of strings");
    out.push_back(v.get<std::string>());
  }
  return out;
}

std::optional<config_reader> config_reader::object(std::string_view key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_object()) refuse(key, "it must be an object");
  return config_reader(*value, fmt::format("{}: {}", where_, key));
}

} // namespace troupe
