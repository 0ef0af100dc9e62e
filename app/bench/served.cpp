#include "app/bench/served.hpp"

#include <nlohmann/json.hpp>

#include <set>

namespace troupe {
namespace {

using nlohmann::json;

// Beyond any vocabulary there is.
constexpr std::uint64_t largest_vocabulary = 1U << 24U;

std::uint32_t count_in(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) return 0;
  const auto count = found->get<std::uint64_t>();
  return count <= largest_vocabulary ? static_cast<std::uint32_t>(count) : 0;
}

/// Troupe and llama.cpp tell it, each in its own place.
std::uint32_t vocabulary_of(const json& model) {
  if (const std::uint32_t count = count_in(model, "vocabulary"); count > 0) return count;
  const auto meta = model.find("meta");
  return meta != model.end() && meta->is_object() ? count_in(*meta, "n_vocab") : 0;
}

} // namespace

std::optional<served_model> read_models(std::string_view body, std::string_view name) {
  const json answer = json::parse(body, nullptr, false);
  if (!answer.is_object() || !answer.contains("data") || !answer["data"].is_array())
    return std::nullopt;
  for (const json& model : answer["data"]) {
    if (!model.is_object() || !model.contains("id") || !model["id"].is_string()) continue;
    const auto& id = model["id"].get_ref<const std::string&>();
    if (name.empty() || id == name) return served_model{id, vocabulary_of(model)};
  }
  return std::nullopt;
}

std::vector<std::uint32_t> read_token_ids(std::string_view body) {
  const json answer = json::parse(body, nullptr, false);
  if (!answer.is_object() || !answer.contains("tokens") || !answer["tokens"].is_array()) return {};
  std::set<std::uint32_t> ids;
  for (const json& id : answer["tokens"]) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > largest_vocabulary) return {};
    ids.insert(id.get<std::uint32_t>());
  }
  return {ids.begin(), ids.end()};
}

} // namespace troupe
