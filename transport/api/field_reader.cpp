#include "transport/api/field_reader.hpp"

#include "transport/api/api_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe {

field_reader::field_reader(const json& object, std::string path)
    : object_(object), path_(std::move(path)) {}

const json* field_reader::any(std::string_view name) const {
  if (fault_) return nullptr;
  const auto found = object_.find(std::string(name));
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<double> field_reader::decimal(std::string_view name, double low, double high,
                                            bool above_low) {
  const json* value = any(name);
  if (value == nullptr) return {};
  if (!value->is_number()) {
    wrong_type(name, "a number");
    return {};
  }
  const auto number = value->get<double>();
  if (number < low || (above_low && number == low)) {
    fail(name,
         fmt::format("'{}' must be {} {}.", full_name(name),
                     above_low ? "greater than" : "at least", low),
         "decimal_below_min_value");
    return {};
  }
  if (number > high) {
    fail(name, fmt::format("'{}' must be at most {}.", full_name(name), high),
         "decimal_above_max_value");
    return {};
  }
  return number;
}

std::optional<std::int64_t> field_reader::integer(std::string_view name, std::int64_t low,
                                                  std::int64_t high) {
  const json* value = any(name);
  if (value == nullptr) return {};
  return whole(name, *value, low, high);
}

std::optional<std::int64_t> field_reader::whole(std::string_view name, const json& value,
                                                std::int64_t low, std::int64_t high) {
  bool above = false;
  bool below = false;
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    above = number > static_cast<std::uint64_t>(std::max<std::int64_t>(high, 0));
    below = !above && std::cmp_less(number, low);
  } else if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    above = number > high;
    below = number < low;
  } else if (value.is_number_float() && std::abs(value.get<double>()) >= 0x1p63) {
    above = value.get<double>() > 0;
    below = !above;
  } else {
    wrong_type(name, "an integer");
    return {};
  }
  if (above)
    fail(name, fmt::format("'{}' must be at most {}.", full_name(name), high),
         "integer_above_max_value");
  if (below)
    fail(name, fmt::format("'{}' must be at least {}.", full_name(name), low),
         "integer_below_min_value");
  if (above || below) return {};
  return value.get<std::int64_t>();
}

std::optional<bool> field_reader::boolean(std::string_view name) {
  const json* value = any(name);
  if (value == nullptr) return {};
  if (!value->is_boolean()) {
    wrong_type(name, "true or false");
    return {};
  }
  return value->get<bool>();
}

const std::string* field_reader::text(std::string_view name, std::size_t max_bytes) {
  const json* value = any(name);
  if (value == nullptr) return nullptr;
  if (!value->is_string()) {
    wrong_type(name, "a string");
    return nullptr;
  }
  const auto& result = value->get_ref<const std::string&>();
  if (result.size() <= max_bytes) return &result;
  fail(name,
       fmt::format("'{}' must be at most {} bytes long, and is {}.", full_name(name), max_bytes,
                   result.size()),
       "string_above_max_length");
  return nullptr;
}

const std::string* field_reader::label(std::string_view name, std::size_t max_bytes) {
  const std::string* value = text(name, max_bytes);
  if (value == nullptr) return nullptr;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::none_of(value->begin(), value->end(), control)) return value;
  fail(name, fmt::format("'{}' must not hold control characters.", full_name(name)),
       "invalid_value");
  return nullptr;
}

const json* field_reader::array(std::string_view name, std::size_t max_size) {
  const json* value = any(name);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) {
    wrong_type(name, "an array");
    return nullptr;
  }
  if (value->size() <= max_size) return value;
  fail(name,
       fmt::format("'{}' must have at most {} elements, and has {}.", full_name(name), max_size,
                   value->size()),
       "array_above_max_length");
  return nullptr;
}

const json* field_reader::object(std::string_view name) {
  const json* value = any(name);
  if (value == nullptr) return nullptr;
  if (value->is_object()) return value;
  wrong_type(name, "an object");
  return nullptr;
}

void field_reader::fail(std::string_view name, std::string message, std::string code, int status) {
  fail(invalid_request(std::move(message), full_name(name), std::move(code), status));
}

void field_reader::fail(api_error error) {
  if (!fault_) fault_ = std::move(error);
}

void field_reader::missing(std::string_view name) {
  fail(name, fmt::format("Missing required parameter: '{}'.", full_name(name)),
       "missing_required_parameter");
}

void field_reader::wrong_type(std::string_view name, std::string_view wanted) {
  fail(name, fmt::format("'{}' must be {}.", full_name(name), wanted), "invalid_type");
}

std::string field_reader::full_name(std::string_view name) const {
  if (path_.empty()) return std::string(name);
  if (name.empty()) return path_;
  return name.front() == '[' ? fmt::format("{}{}", path_, name) : fmt::format("{}.{}", path_, name);
}

} // namespace troupe
