// A value inside a JSON file together with the way to it, so that whatever is wrong with it is said
// with the file's name and the field's: "tokenizer.json: pre_tokenizer.pretokenizers[0].type: ...".
// Nothing else reads the parsed files.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Refers to a value of a parsed document, which must outlive it. Every access that finds something
/// else than it asks for throws model_error.
class json_field {
 public:
  /// The whole document. `file` is the name that errors give.
  json_field(const nlohmann::json& document, std::string_view file);

  [[noreturn]] void refuse(std::string_view problem) const;

  /// The member called `key`; refused where it is absent or null.
  json_field at(std::string_view key) const;
  /// The member called `key`, or nothing where it is absent or null.
  std::optional<json_field> find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key).has_value(); }

  std::vector<json_field> elements() const; ///< of an array
  std::vector<std::string> keys() const;    ///< of an object

  bool is_string() const;
  bool is_object() const;
  std::string string() const;
  bool boolean() const;
  std::int64_t integer(std::int64_t low, std::int64_t high) const; ///< refused outside [low, high]

  std::string string_or(std::string_view key, std::string_view otherwise) const;
  bool boolean_or(std::string_view key, bool otherwise) const;

 private:
  json_field(const nlohmann::json& value, std::string_view file, std::string path);

  const nlohmann::json* value_;
  std::string file_;
  std::string path_;
};

} // namespace troupe
