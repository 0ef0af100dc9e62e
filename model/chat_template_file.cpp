// Named templates were a habit of models that had one for tools; a request cannot choose between
// them, so the one called default stands for all.
#include "model/chat_template_file.hpp"

#include "model/model_error.hpp"
#include "model/model_file.hpp"
#include "model/strict_json.hpp"
#include "model/template/chat_template.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace troupe {

namespace {

constexpr std::uint64_t template_limit = std::uint64_t{1} << 20;
constexpr std::uint64_t config_limit = std::uint64_t{16} << 20;

/// The text of {name, template}; throws where it has another form.
std::pair<std::string, std::string> named_template(const nlohmann::json& entry,
                                                   const std::filesystem::path& file) {
  const auto text = [&](const char* key) {
    const auto found = entry.is_object() ? entry.find(key) : entry.end();
    if (!entry.is_object() || found == entry.end() || !found->is_string())
      throw model_error(fmt::format("{}: chat_template must be a string or a list of {{name, "
                                    "template}}",
                                    file.string()));
    return found->get<std::string>();
  };
  return {text("name"), text("template")};
}

std::string default_of(const nlohmann::json& list, const std::filesystem::path& file) {
  std::string names;
  for (const nlohmann::json& entry : list) {
    auto [name, text] = named_template(entry, file);
    if (name == "default" || list.size() == 1) return text;
    names += (names.empty() ? "" : ", ") + name;
  }
  throw model_error(fmt::format("{}: chat_template names {}, of which none is called default",
                                file.string(), names.empty() ? "nothing" : names));
}

} // namespace

std::optional<template_source> read_chat_template(const std::filesystem::path& folder) {
  const std::filesystem::path own = folder / "chat_template.jinja";
  if (std::filesystem::exists(own)) return template_source{read_text(own, template_limit), own};
  const std::filesystem::path file = folder / "tokenizer_config.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  const auto config = parse_json_object(read_text(file, config_limit), file.string());
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) return std::nullopt;
  if (found->is_string()) return template_source{found->get<std::string>(), file};
  if (!found->is_array())
    throw model_error(fmt::format("{}: chat_template must be a string or a list of {{name, "
                                  "template}}",
                                  file.string()));
  return template_source{default_of(*found, file), file};
}

chat_template parse_chat_template(const template_source& source) {
  try {
    return chat_template(source.text);
  } catch (const template_error& e) {
    throw model_error(fmt::format("{}: chat template: {}", source.file.string(), e.what()));
  }
}

} // namespace troupe
