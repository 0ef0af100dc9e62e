// The ranges are those of sampling_params, so that a default never is what a request would be
// refused for.
#include "model/generation_defaults.hpp"

#include "model/architecture.hpp"
#include "model/config_reader.hpp"
#include "model/model_file.hpp"
#include "model/strict_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace troupe {

namespace {

constexpr std::uint64_t file_limit = std::uint64_t{4} << 20;
constexpr double least_positive = 1e-6;

sampling_params read_sampling(const config_reader& file) {
  sampling_params out;
  const auto number = [&](std::string_view key, float absent, double least, double most) {
    return static_cast<float>(file.number_or(key, absent, least, most));
  };
  out.temperature = number("temperature", out.temperature, 0, 2);
  out.top_p = number("top_p", out.top_p, least_positive, 1);
  out.min_p = number("min_p", out.min_p, 0, 1);
  out.repetition_penalty = number("repetition_penalty", out.repetition_penalty, least_positive, 2);
  out.top_k = static_cast<std::int32_t>(file.whole_or("top_k", out.top_k, 0, 1 << 22));
  if (!file.flag_or("do_sample", true)) out.temperature = 0;
  return out;
}

} // namespace

generation_defaults read_generation_defaults(const std::filesystem::path& folder,
                                             const architecture& model) {
  generation_defaults out;
  out.eos = model.eos;
  const std::filesystem::path path = folder / "generation_config.json";
  if (std::filesystem::exists(path)) {
    const auto json = parse_json_object(read_text(path, file_limit), path.string());
    const config_reader file(json, path.string());
    out.sampling = read_sampling(file);
    for (const std::int64_t id : file.whole_or_list("eos_token_id", 0, model.vocab - 1))
      out.eos.push_back(static_cast<token_id>(id));
  }
  std::ranges::sort(out.eos);
  const auto repeated = std::ranges::unique(out.eos);
  out.eos.erase(repeated.begin(), repeated.end());
  return out;
}

} // namespace troupe
