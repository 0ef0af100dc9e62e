// See tokenizer_settings.hpp. A token is written as a string or as an object with its "content";
// tokenizer_config.json goes before special_tokens_map.json.
#include "model/tokenizer/tokenizer_settings.hpp"

#include "model/tokenizer/json_field.hpp"
#include "model/tokenizer/tokenizer_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>

namespace troupe {
namespace {

void read_special(const json_field& document, std::map<std::string, std::string>& special) {
  for (const auto& key : document.keys()) {
    const auto field = document.find(key);
    if (!key.ends_with("_token") || key.starts_with("add_") || !field) continue;
    if (field->is_object()) {
      special.emplace(key, field->at("content").string());
    } else if (field->is_string()) {
      special.emplace(key, field->string());
    }
  }
}

std::vector<added_token> read_added(const json_field& document) {
  std::vector<added_token> added;
  const auto field = document.find("added_tokens_decoder");
  if (!field) return added;
  for (const auto& key : field->keys()) {
    token_id id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0 ||
        static_cast<std::size_t>(id) >= max_vocabulary) {
      field->refuse(
          fmt::format("has \"{}\", which is no id from 0 to {}", key, max_vocabulary - 1));
    }
    added.push_back(read_added_token(field->at(key), id));
  }
  return added;
}

} // namespace

tokenizer_settings read_tokenizer_settings(const std::filesystem::path& folder) {
  tokenizer_settings settings;
  if (const auto json = read_json_file(folder / "tokenizer_config.json")) {
    const json_field document(*json, "tokenizer_config.json");
    read_special(document, settings.special);
    if (const auto add = document.find("add_bos_token")) settings.add_bos_token = add->boolean();
    if (const auto add = document.find("add_eos_token")) settings.add_eos_token = add->boolean();
    settings.added = read_added(document);
  }
  if (const auto json = read_json_file(folder / "special_tokens_map.json")) {
    read_special(json_field(*json, "special_tokens_map.json"), settings.special);
  }
  return settings;
}

} // namespace troupe
