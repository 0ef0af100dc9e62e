// See json_field.hpp.
#include "model/tokenizer/json_field.hpp"

#include "model/model_error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace troupe {

json_field::json_field(const nlohmann::json& document, std::string_view file)
    : json_field(document, file, "") {}

json_field::json_field(const nlohmann::json& value, std::string_view file, std::string path)
    : value_(&value), file_(file), path_(std::move(path)) {}

void json_field::refuse(std::string_view problem) const {
  throw model_error(path_.empty() ? fmt::format("{}: {}", file_, problem)
                                  : fmt::format("{}: {}: {}", file_, path_, problem));
}

std::optional<json_field> json_field::find(std::string_view key) const {
  if (!value_->is_object()) refuse(fmt::format("is {}, not an object", value_->type_name()));
  const auto found = value_->find(key);
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return json_field(*found, file_,
                    path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key));
}

json_field json_field::at(std::string_view key) const {
  auto found = find(key);
  if (!found) refuse(fmt::format("has no \"{}\"", key));
  return *std::move(found);
}

std::vector<json_field> json_field::elements() const {
  if (!value_->is_array()) refuse(fmt::format("is {}, not an array", value_->type_name()));
  std::vector<json_field> elements;
  for (const auto& element : *value_) {
    elements.push_back(json_field(element, file_, fmt::format("{}[{}]", path_, elements.size())));
  }
  return elements;
}

std::vector<std::string> json_field::keys() const {
  if (!value_->is_object()) refuse(fmt::format("is {}, not an object", value_->type_name()));
  std::vector<std::string> keys;
  for (const auto& item : value_->items()) keys.push_back(item.key());
  return keys;
}

bool json_field::is_string() const { return value_->is_string(); }
bool json_field::is_object() const { return value_->is_object(); }

std::string json_field::string() const {
  if (!value_->is_string()) refuse(fmt::format("is {}, not a string", value_->type_name()));
  return value_->get<std::string>();
}

bool json_field::boolean() const {
  if (!value_->is_boolean()) refuse(fmt::format("is {}, not true or false", value_->type_name()));
  return value_->get<bool>();
}

std::int64_t json_field::integer(std::int64_t low, std::int64_t high) const {
  if (!value_->is_number_integer())
    refuse(fmt::format("is {}, not a whole number", value_->dump()));
  const auto value = value_->get<std::int64_t>();
  const auto wraps = value_->is_number_unsigned() && value < 0;
  if (wraps || value < low || value > high)
    refuse(fmt::format("is {}, outside {} to {}", value_->dump(), low, high));
  return value;
}

std::string json_field::string_or(std::string_view key, std::string_view otherwise) const {
  const auto field = find(key);
  return field ? field->string() : std::string(otherwise);
}

bool json_field::boolean_or(std::string_view key, bool otherwise) const {
  const auto field = find(key);
  return field ? field->boolean() : otherwise;
}

} // namespace troupe
