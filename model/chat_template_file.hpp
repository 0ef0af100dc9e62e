// Where a model folder keeps its chat template: in a file of its own, or in tokenizer_config.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace troupe {

class chat_template;

/// A template's text and the file that it stands in.
struct template_source {
  std::string text;
  std::filesystem::path file;
};

/// chat_template.jinja; else chat_template of tokenizer_config.json, a string or a list of {name,
/// template} of which "default" is taken, or the only one. Nothing where there is none. Throws
/// model_error where it has another form.
std::optional<template_source> read_chat_template(const std::filesystem::path& folder);

/// Throws model_error, naming the file, where it is no template.
chat_template parse_chat_template(const template_source& source);

} // namespace troupe
