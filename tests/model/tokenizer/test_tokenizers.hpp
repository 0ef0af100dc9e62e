// Where the tests' tokenizers are: two small ones of our own, always there, and those of real
// models, where they are.
#pragma once

#include "model/tokenizer/tokenizer.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace troupe::test {

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(TOKENIZER_FIXTURES) / name;
}
inline std::filesystem::path shared(const std::string& name) {
  return std::filesystem::path(TROUPE_SHARED) / name;
}

inline std::shared_ptr<const tokenizer> load(const std::filesystem::path& folder) {
  return std::make_shared<const tokenizer>(tokenizer::load(folder));
}

/// The folders of every tokenizer at hand.
inline std::vector<std::filesystem::path> all_folders() {
  std::vector<std::filesystem::path> folders{fixture("byte_level"), fixture("marked")};
  for (const auto* name :
       {"data/tokenizers/gpt2", "data/tokenizers/llama2", "data/tokenizers/phi-3-mini",
        "data/tokenizers/pythia", "data/tokenizers/minimind", "models/concierge",
        "models/TinyStories-656K"}) {
    if (std::filesystem::exists(shared(name) / "tokenizer.json")) folders.push_back(shared(name));
  }
  return folders;
}

inline std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// How ids are spelled, for messages and comparisons that say more than numbers.
inline std::vector<std::string> spelled(const tokenizer& tokenizer,
                                        const std::vector<token_id>& ids) {
  std::vector<std::string> out;
  for (const auto id : ids) out.emplace_back(tokenizer.token(id));
  return out;
}

} // namespace troupe::test
