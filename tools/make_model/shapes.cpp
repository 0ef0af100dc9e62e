// The numbers are those of each model's published config.json. Only the ids of special tokens
// differ: the tokenizer is one of bytes, which has its own.
#include "tools/make_model/shapes.hpp"

#include "config/nearest.hpp"
#include "config/text.hpp"
#include "tools/make_model/byte_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

namespace troupe {
namespace {

constexpr std::size_t longest_shown = 80;

constexpr std::array<std::string_view, 8> mixtures_of_experts = {
    "mixtral-8x7b", "qwen3-30b-a3b", "qwen3-235b-a22b", "gpt-oss-20b",
    "gpt-oss-120b", "deepseek-v3",   "deepseek-r1",     "llama-4-scout"};

struct sizes {
  std::int32_t layers, hidden, heads, kv_heads, head_dim, ffn, vocab, positions;
};

architecture shape_of(const char* family, const sizes& of, double theta, float epsilon) {
  architecture out;
  out.family = family;
  out.layers = of.layers;
  out.hidden = of.hidden;
  out.heads = of.heads;
  out.kv_heads = of.kv_heads;
  out.head_dim = of.head_dim;
  out.ffn = of.ffn;
  out.vocab = of.vocab;
  out.max_positions = of.positions;
  out.rope.theta = theta;
  out.norm_epsilon = epsilon;
  out.windows.assign(static_cast<std::size_t>(of.layers), 0);
  out.bos = byte_tokenizer_bos;
  out.eos = {byte_tokenizer_eos};
  return out;
}

architecture llama3(const sizes& of, double factor) {
  architecture out = shape_of("llama", of, 500'000, 1e-5F);
  out.rope.scaling = rope_scaling::llama3;
  out.rope.factor = factor;
  out.rope.original_positions = 8192;
  out.rope.low_frequency_factor = 1;
  out.rope.high_frequency_factor = 4;
  return out;
}

architecture qwen3(const sizes& of) {
  architecture out = shape_of("qwen3", of, 1e6, 1e-6F);
  out.head_norm = true;
  return out;
}

architecture qwen2(const sizes& of) {
  architecture out = shape_of("qwen2", of, 1e6, 1e-6F);
  out.qkv_bias = true;
  return out;
}

architecture tied(architecture out) {
  out.tied_embeddings = true;
  return out;
}

} // namespace

std::vector<model_shape> all_shapes() {
  return {
      {"tiny", tied(shape_of("llama", {2, 64, 4, 2, 16, 176, 384, 512}, 10'000, 1e-5F))},
      {"llama-3.2-1b", tied(llama3({16, 2048, 32, 8, 64, 8192, 128256, 131072}, 32))},
      {"llama-3.2-3b", tied(llama3({28, 3072, 24, 8, 128, 8192, 128256, 131072}, 32))},
      {"llama-3.1-8b", llama3({32, 4096, 32, 8, 128, 14336, 128256, 131072}, 8)},
      {"qwen3-0.6b", tied(qwen3({28, 1024, 16, 8, 128, 3072, 151936, 40960}))},
      {"qwen3-4b", tied(qwen3({36, 2560, 32, 8, 128, 9728, 151936, 40960}))},
      {"qwen3-8b", qwen3({36, 4096, 32, 8, 128, 12288, 151936, 40960})},
      {"qwen2.5-7b", qwen2({28, 3584, 28, 4, 128, 18944, 152064, 32768})},
      {"mistral-7b", shape_of("mistral", {32, 4096, 32, 8, 128, 14336, 32768, 32768}, 1e6, 1e-5F)},
  };
}

architecture find_shape(std::string_view name) {
  std::string wanted(name);
  std::ranges::transform(wanted, wanted.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::vector<spelling> names;
  std::string list;
  for (const model_shape& each : all_shapes()) {
    if (each.name == wanted) return each.model;
    names.push_back({each.name, each.name});
    list += (list.empty() ? "" : ", ") + each.name;
  }
  const std::string shown = printable(name, longest_shown);
  if (std::ranges::find(mixtures_of_experts, wanted) != mixtures_of_experts.end())
    throw std::invalid_argument(fmt::format(
        "{} is a mixture of experts, a family that is not served; there are: {}", shown, list));
  throw std::invalid_argument(
      fmt::format("{} is not a shape{}; there are: {}", shown, suggestion(wanted, names), list));
}

} // namespace troupe
