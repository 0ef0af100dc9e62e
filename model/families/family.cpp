// The table, and what is refused whatever the family.
#include "model/families/family.hpp"

#include "model/config_reader.hpp"
#include "model/model_file.hpp"
#include "model/strict_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace troupe {

namespace {

constexpr std::array<std::pair<std::string_view, family_reader>, 4> families = {{
    {"llama", read_llama},
    {"mistral", read_mistral},
    {"qwen2", read_qwen2},
    {"qwen3", read_qwen3},
}};

constexpr std::uint64_t config_limit = std::uint64_t{4} << 20;

std::string served_families() {
  std::string out;
  for (const auto& [name, read] : families)
    out += fmt::format("{}{}", out.empty() ? "" : ", ", name);
  return out;
}

} // namespace

architecture read_architecture(const nlohmann::json& config, const std::string& file) {
  const config_reader reader(config, file);
  if (reader.has("quantization_config"))
    reader.refuse("quantization_config", "weights in F32, F16 and BF16 are served, quantised are "
                                         "not: use the checkpoint that this one was made from");
  const std::string family = reader.text_or("model_type", "");
  for (const auto& [name, read] : families) {
    if (name == family) return read(reader);
  }
  reader.refuse("model_type", fmt::format("served are: {}", served_families()));
}

architecture read_architecture(const std::filesystem::path& folder) {
  const std::string file = (folder / "config.json").string();
  return read_architecture(parse_json_object(read_text(file, config_limit), file), file);
}

} // namespace troupe
