// Two generations of files say the same differently: dtype was torch_dtype, and rope_parameters
// was rope_theta beside rope_scaling, whose rope_type was once called type. All are read.
#include "model/families/common.hpp"

#include "model/config_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe {

namespace {

constexpr std::int64_t most_positions = std::int64_t{1} << 24;

rope_scaling scaling_of(const config_reader& rope) {
  const std::string_view key = rope.has("rope_type") ? "rope_type" : "type";
  const std::string kind = rope.text_or(key, "default");
  if (kind == "default") return rope_scaling::none;
  if (kind == "linear") return rope_scaling::linear;
  if (kind == "llama3") return rope_scaling::llama3;
  if (kind == "yarn") return rope_scaling::yarn;
  rope.refuse(key, "served are: default, linear, llama3, yarn");
}

/// The fields of rope_parameters or rope_scaling.
void read_scaling(rope_settings& out, const config_reader& rope, std::int64_t positions) {
  constexpr double huge = 1e9;
  out.scaling = scaling_of(rope);
  out.theta = rope.number_or("rope_theta", out.theta, 1.0 + 1e-6, 1e15);
  if (rope.number_or("partial_rotary_factor", 1.0, 0, 1) != 1.0)
    rope.refuse("partial_rotary_factor", "only whole heads are rotated: it must be 1");
  if (out.scaling == rope_scaling::none) return;
  out.factor = rope.number("factor", 1, huge);
  if (out.scaling == rope_scaling::linear) return;
  out.original_positions = rope.number_or("original_max_position_embeddings",
                                          static_cast<double>(positions), 1, most_positions);
  if (out.scaling == rope_scaling::llama3) {
    out.low_frequency_factor = rope.number("low_freq_factor", 1e-6, huge);
    out.high_frequency_factor = rope.number("high_freq_factor", 1e-6, huge);
    if (out.high_frequency_factor <= out.low_frequency_factor)
      rope.refuse("high_freq_factor", "it must exceed low_freq_factor");
    return;
  }
  out.beta_fast = rope.number_or("beta_fast", 32, 1e-6, huge);
  out.beta_slow = rope.number_or("beta_slow", 1, 1e-6, huge);
  out.truncate = rope.flag_or("truncate", true);
  if (rope.has("attention_factor")) {
    out.attention_factor = rope.number("attention_factor", 1e-6, huge);
  } else if (rope.has("mscale") && rope.has("mscale_all_dim")) {
    const double log_factor = 0.1 * std::log(out.factor);
    const double over = rope.number("mscale", 0, huge) * log_factor + 1.0;
    const double under = rope.number("mscale_all_dim", 0, huge) * log_factor + 1.0;
    if (over != 1.0 && under != 1.0) out.attention_factor = over / under;
  }
}

rope_settings read_rope(const config_reader& config, std::int64_t positions) {
  rope_settings out;
  out.theta = config.number_or("rope_theta", 10000.0, 1.0 + 1e-6, 1e15);
  if (config.number_or("partial_rotary_factor", 1.0, 0, 1) != 1.0)
    config.refuse("partial_rotary_factor", "only whole heads are rotated: it must be 1");
  const std::string_view key = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (const auto rope = config.object(key)) {
    if (rope->object("full_attention") || rope->object("sliding_attention"))
      config.refuse(key, "one setting for all layers is served");
    read_scaling(out, *rope, positions);
  }
  return out;
}

dtype read_type(const config_reader& config) {
  const std::string_view key = config.has("dtype") ? "dtype" : "torch_dtype";
  const std::string type = config.text_or(key, "float32");
  if (type == "float32") return dtype::f32;
  if (type == "float16") return dtype::f16;
  if (type == "bfloat16") return dtype::bf16;
  config.refuse(key, "served are: float32, float16, bfloat16");
}

void read_tokens(architecture& out, const config_reader& config) {
  if (config.has("bos_token_id"))
    out.bos = static_cast<token_id>(config.whole("bos_token_id", 0, out.vocab - 1));
  for (const std::int64_t id : config.whole_or_list("eos_token_id", 0, out.vocab - 1))
    out.eos.push_back(static_cast<token_id>(id));
}

} // namespace

architecture read_common(const config_reader& config) {
  const auto size = [&](std::string_view key, std::int64_t most) {
    return static_cast<std::int32_t>(config.whole(key, 1, most));
  };
  const std::string activation = config.text_or("hidden_act", "silu");
  if (activation != "silu" && activation != "swish") config.refuse("hidden_act", "served is: silu");
  architecture out;
  out.type = read_type(config);
  out.family = config.text_or("model_type", "");
  out.layers = size("num_hidden_layers", 1024);
  out.hidden = size("hidden_size", 1 << 17);
  out.heads = size("num_attention_heads", 1024);
  out.kv_heads =
      static_cast<std::int32_t>(config.whole_or("num_key_value_heads", out.heads, 1, 1024));
  if (out.heads % out.kv_heads != 0)
    config.refuse("num_key_value_heads",
                  fmt::format("it must divide num_attention_heads, {}", out.heads));
  if (!config.has("head_dim") && out.hidden % out.heads != 0)
    config.refuse("num_attention_heads",
                  fmt::format("without head_dim it must divide hidden_size, {}", out.hidden));
  out.head_dim =
      static_cast<std::int32_t>(config.whole_or("head_dim", out.hidden / out.heads, 2, 256));
  if (out.head_dim % 2 != 0 || out.head_dim < 2 || out.head_dim > 256)
    config.refuse("head_dim", fmt::format("heads of {} elements; it must be even and in [2, 256]",
                                          out.head_dim));
  out.ffn = size("intermediate_size", 1 << 20);
  out.vocab = size("vocab_size", 1 << 22);
  out.max_positions = size("max_position_embeddings", most_positions);
  out.norm_epsilon = static_cast<float>(config.number_or("rms_norm_eps", 1e-6, 1e-12, 1.0));
  out.tied_embeddings = config.flag_or("tie_word_embeddings", false);
  out.rope = read_rope(config, out.max_positions);
  if (out.rope.scaling == rope_scaling::yarn)
    out.max_positions = static_cast<std::int32_t>(std::min<double>(
        most_positions,
        std::max<double>(out.max_positions,
                         std::floor(out.rope.factor * out.rope.original_positions))));
  out.windows.assign(static_cast<std::size_t>(out.layers), 0);
  read_tokens(out, config);
  return out;
}

std::int32_t read_window(const config_reader& config, std::string_view key) {
  return static_cast<std::int32_t>(config.whole_or(key, 0, 1, INT32_MAX));
}

std::vector<std::int32_t> read_windows(const config_reader& config, std::int32_t layers,
                                       std::int32_t window, std::int64_t first_sliding) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(layers), 0);
  const auto types = config.texts("layer_types");
  if (types && types->size() != out.size())
    config.refuse("layer_types", fmt::format("it must name {} layers", layers));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string type = !types                               ? ""
                             : (*types)[i] == "full_attention"    ? "full"
                             : (*types)[i] == "sliding_attention" ? "sliding"
                                                                  : "unknown";
    if (type == "unknown")
      config.refuse("layer_types", "served are: full_attention, sliding_attention");
    if (type == "sliding" && window == 0)
      config.refuse("sliding_window", "layer_types names layers that need it");
    const bool sliding =
        types ? type == "sliding" : window > 0 && static_cast<std::int64_t>(i) >= first_sliding;
    out[i] = sliding ? window : 0;
  }
  return out;
}

} // namespace troupe
