// Reads tokenizer.json off the disk. Vocabulary and merges are nine tenths of it and as long as the
// model likes, so they are taken out while the file is read; what remains is small and kept as JSON
// for the parts that each know their own fields.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// The most entries a vocabulary, and merges, may have.
inline constexpr std::size_t max_vocabulary = std::size_t{1} << 24;

/// What a tokenizer.json holds.
struct tokenizer_file {
  std::vector<std::pair<std::string, std::int64_t>>
      vocabulary; ///< model.vocab: spelling and id, as written
  std::vector<std::pair<std::string, std::string>> merges; ///< model.merges, first merged first
  std::shared_ptr<const nlohmann::json> rest;              ///< everything else
};

/// Throws model_error where the file cannot be read, is larger than 256 MiB, is not JSON, nests
/// deeper than 64, or has a malformed model.vocab or model.merges.
tokenizer_file read_tokenizer_file(const std::filesystem::path& path);

/// The JSON of a small file (at most 16 MiB, nested at most 64 deep), or a null pointer where there
/// is no such file.
std::shared_ptr<const nlohmann::json> read_json_file(const std::filesystem::path& path);

} // namespace troupe
