// One JSON object of a model's configuration, read field by field. Each call names the field's
// type and range, so that a wrong file is answered with the field, its value and what it must be.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A view of an object that outlives it. A field that is null counts as absent. All functions throw
/// model_error.
class config_reader {
 public:
  config_reader(const nlohmann::json& object, std::string where);

  bool has(std::string_view key) const;
  /// Whether the field stands there, be it null.
  bool names(std::string_view key) const;
  std::int64_t whole(std::string_view key, std::int64_t least, std::int64_t most) const;
  std::int64_t whole_or(std::string_view key, std::int64_t absent, std::int64_t least,
                        std::int64_t most) const;
  double number(std::string_view key, double least, double most) const;
  double number_or(std::string_view key, double absent, double least, double most) const;
  bool flag_or(std::string_view key, bool absent) const;
  std::string text_or(std::string_view key, std::string_view absent) const;
  /// A whole number or a list of them that is not empty; nothing where the field is absent.
  std::vector<std::int64_t> whole_or_list(std::string_view key, std::int64_t least,
                                          std::int64_t most) const;
  /// A list of strings; nothing where the field is absent.
  std::optional<std::vector<std::string>> texts(std::string_view key) const;
  /// The object in a field; nothing where the field is absent.
  std::optional<config_reader> object(std::string_view key) const;

  /// Throws: "<file>: <key> is <its value>; <must>".
  [[noreturn]] void refuse(std::string_view key, std::string_view must) const;

 private:
  const nlohmann::json* find(std::string_view key) const;
  std::int64_t whole_of(const nlohmann::json& value, std::string_view key, std::int64_t least,
                        std::int64_t most) const;

  const nlohmann::json* object_;
  std::string where_;
};

} // namespace troupe
