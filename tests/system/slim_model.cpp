#include "tests/system/slim_model.hpp"

#include <cstdlib>
#include <filesystem>

namespace troupe {
namespace {

constexpr std::int64_t vocabulary = 4096;
constexpr std::int64_t width = 16;

testing::f32_tensor filled(std::vector<std::int64_t> shape, float value) {
  std::size_t size = 1;
  for (const auto length : shape) size *= static_cast<std::size_t>(length);
  return {std::move(shape), std::vector<float>(size, value)};
}

testing::f32_tensors slim_weights() {
  testing::f32_tensors out;
  out["model.embed_tokens.weight"] = filled({vocabulary, width}, 0.1F);
  out["model.norm.weight"] = filled({width}, 1);
  const std::string at = "model.layers.0.";
  for (const auto* name : {"input_layernorm", "post_attention_layernorm"})
    out[at + name + ".weight"] = filled({width}, 1);
  for (const auto* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                           "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"})
    out[at + name + ".weight"] = filled({width, width}, 0.1F);
  return out;
}

/// Beside tests/golden where the program was carried elsewhere.
std::filesystem::path example_model() {
  const char* const golden = std::getenv("GOLDEN");
  const std::filesystem::path source =
      golden ? std::filesystem::path(golden) / "../.." : std::filesystem::path(TROUPE_SOURCE);
  return source / "examples/models/concierge";
}

} // namespace

void write_slim_model(const testing::temporary_folder& folder) {
  auto config = testing::small_config();
  config.update({{"hidden_size", width},
                 {"intermediate_size", width},
                 {"num_hidden_layers", 1},
                 {"num_attention_heads", 1},
                 {"num_key_value_heads", 1},
                 {"head_dim", width},
                 {"vocab_size", vocabulary},
                 {"max_position_embeddings", 2048}});
  folder.write("config.json", config.dump());
  folder.write("model.safetensors", testing::safetensors_file(slim_weights()));
  const std::filesystem::path example = example_model();
  for (const auto* name :
       {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"})
    std::filesystem::copy_file(example / name, folder.path() / name);
}

} // namespace troupe
