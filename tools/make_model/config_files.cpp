#include "tools/make_model/config_files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

using json = nlohmann::ordered_json;

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> class_names = {{
    {"llama", "LlamaForCausalLM"},
    {"mistral", "MistralForCausalLM"},
    {"qwen2", "Qwen2ForCausalLM"},
    {"qwen3", "Qwen3ForCausalLM"},
}};

std::string_view class_of(const std::string& family) {
  for (const auto& [name, class_name] : class_names)
    if (name == family) return class_name;
  throw std::invalid_argument(fmt::format("no config.json is known for the family {}", family));
}

std::string_view type_name(dtype type) {
  return type == dtype::f32 ? "float32" : type == dtype::f16 ? "float16" : "bfloat16";
}

json scaling_of(const rope_settings& rope) {
  if (rope.scaling == rope_scaling::none) return nullptr;
  if (rope.scaling != rope_scaling::llama3)
    throw std::invalid_argument("of rotary scalings only llama3's is written");
  return {{"rope_type", "llama3"},
          {"factor", rope.factor},
          {"low_freq_factor", rope.low_frequency_factor},
          {"high_freq_factor", rope.high_frequency_factor},
          {"original_max_position_embeddings", static_cast<std::int64_t>(rope.original_positions)}};
}

} // namespace

std::string config_json(const architecture& model, dtype type) {
  json out = {{"architectures", json::array({class_of(model.family)})},
              {"model_type", model.family},
              {"torch_dtype", type_name(type)},
              {"vocab_size", model.vocab},
              {"hidden_size", model.hidden},
              {"intermediate_size", model.ffn},
              {"num_hidden_layers", model.layers},
              {"num_attention_heads", model.heads},
              {"num_key_value_heads", model.kv_heads},
              {"head_dim", model.head_dim},
              {"hidden_act", "silu"},
              {"max_position_embeddings", model.max_positions},
              // The decimal number that was meant, not the float's neighbour of it.
              {"rms_norm_eps", std::stod(fmt::format("{}", model.norm_epsilon))},
              {"rope_theta", model.rope.theta},
              {"rope_scaling", scaling_of(model.rope)},
              {"tie_word_embeddings", model.tied_embeddings},
              {"attention_bias", model.output_bias},
              {"mlp_bias", model.mlp_bias},
              {"attention_dropout", 0.0},
              {"use_cache", true}};
  if (model.family == "mistral") out["sliding_window"] = nullptr;
  if (model.family.starts_with("qwen")) out["use_sliding_window"] = false;
  if (model.bos) out["bos_token_id"] = *model.bos;
  if (!model.eos.empty()) out["eos_token_id"] = model.eos.front();
  return out.dump(2);
}

std::string generation_config_json(const architecture& model) {
  json out = {{"do_sample", true}, {"temperature", 1.0}};
  if (model.bos) out["bos_token_id"] = *model.bos;
  out["eos_token_id"] = model.eos;
  return out.dump(2);
}

} // namespace troupe
