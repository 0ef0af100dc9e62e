// Reads typed fields of a JSON object and remembers the first thing wrong. After a fault every
// further read answers "absent", so that a parser is a plain list of reads with one check at its
// end. A field that is null counts as absent, as OpenAI's clients expect.
#pragma once

#include "actors/request.hpp"
#include "transport/api/json.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

class field_reader {
 public:
  /// `object` must be an object and outlive the reader. `path` is put before the fields' names in
  /// errors: "messages[0]".
  explicit field_reader(const json& object, std::string path = {});

  /// A number in [low, high]; low itself is refused where `above_low`.
  std::optional<double> decimal(std::string_view name, double low, double high,
                                bool above_low = false);
  /// A whole number in [low, high], written without fraction or exponent.
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t low, std::int64_t high);
  std::optional<bool> boolean(std::string_view name);
  /// A string of at most `max_bytes`.
  const std::string* text(std::string_view name,
                          std::size_t max_bytes = std::numeric_limits<std::size_t>::max());
  /// The same, refusing control characters.
  const std::string* label(std::string_view name, std::size_t max_bytes);
  const json* array(std::string_view name, std::size_t max_size);
  const json* object(std::string_view name);
  /// Whatever is there, unless absent or null.
  const json* any(std::string_view name) const;

  /// Remembers a fault, unless there is one already. `name` may be empty for the object itself.
  void fail(std::string_view name, std::string message, std::string code, int status = 400);
  void fail(api_error error);
  /// missing_required_parameter.
  void missing(std::string_view name);
  /// invalid_type: what `name` should have been.
  void wrong_type(std::string_view name, std::string_view wanted);

  bool ok() const { return !fault_; }
  const std::optional<api_error>& fault() const { return fault_; }
  /// The field's name with its path.
  std::string full_name(std::string_view name) const;

 private:
  std::optional<std::int64_t> whole(std::string_view name, const json& value, std::int64_t low,
                                    std::int64_t high);

  const json& object_;
  std::string path_;
  std::optional<api_error> fault_;
};

} // namespace troupe
