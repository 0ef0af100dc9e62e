// What a model is, as data. There is one decoder, and every family is a value of this type: what
// differs between them is a number, a flag or a tensor's name, so that serving another family is
// writing another reader of its config.json and no other forward pass.
#pragma once

#include "config/sampling.hpp"
#include "kernels/tensor.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// How rotary frequencies are stretched for contexts longer than those of the first training.
enum class rope_scaling : std::uint8_t { none, linear, llama3, yarn };

/// Rotary position embedding; the fields below `factor` hold for the kinds that name them.
struct rope_settings {
  double theta = 10000.0; ///< base of the frequencies, > 1
  rope_scaling scaling = rope_scaling::none;
  double factor = 1.0;                    ///< linear, llama3, yarn: how many times longer; >= 1
  double original_positions = 0;          ///< llama3, yarn: positions of the first training
  double low_frequency_factor = 1;        ///< llama3
  double high_frequency_factor = 4;       ///< llama3, > low_frequency_factor
  double beta_fast = 32;                  ///< yarn
  double beta_slow = 1;                   ///< yarn
  bool truncate = true;                   ///< yarn: the ramp's ends are whole dimensions
  std::optional<double> attention_factor; ///< yarn: of sin and cos; computed from factor otherwise
  /// What the frequencies are rounded to: bf16 where a reference cast its whole model, buffers and
  /// all.
  dtype frequency_type = dtype::f32;
};

/// What the tensors are called. `layer` has {} where a layer's number stands and is put before the
/// names below it; the names of linear maps get ".weight" or ".bias".
struct tensor_names {
  std::string embedding = "model.embed_tokens.weight";
  std::string head = "lm_head.weight";
  std::string final_norm = "model.norm.weight";
  std::string layer = "model.layers.{}.";
  std::string attention_norm = "input_layernorm.weight";
  std::string query = "self_attn.q_proj";
  std::string key = "self_attn.k_proj";
  std::string value = "self_attn.v_proj";
  std::string output = "self_attn.o_proj";
  std::string query_norm = "self_attn.q_norm.weight";
  std::string key_norm = "self_attn.k_norm.weight";
  std::string mlp_norm = "post_attention_layernorm.weight";
  std::string gate = "mlp.gate_proj";
  std::string up = "mlp.up_proj";
  std::string down = "mlp.down_proj";
};

/// A decoder with rotary positions, RMS norms before each block, grouped-query attention and a
/// gated MLP with SiLU.
struct architecture {
  std::string family;      ///< model_type of config.json
  dtype type = dtype::f32; ///< that the model was made for; its files may hold others
  std::int32_t layers = 0;
  std::int32_t hidden = 0;
  std::int32_t heads = 0; ///< a multiple of kv_heads
  std::int32_t kv_heads = 0;
  std::int32_t head_dim = 0; ///< even, at most 256; hidden / heads in some families only
  std::int32_t ffn = 0;      ///< width of the MLP
  std::int32_t vocab = 0;
  std::int32_t max_positions = 0; ///< the longest sequence, prompt and continuation
  float norm_epsilon = 0;
  rope_settings rope;
  bool qkv_bias = false;
  bool output_bias = false;
  bool mlp_bias = false;
  bool head_norm = false;            ///< RMS norm of each query and key head
  bool tied_embeddings = false;      ///< the head is the embedding
  std::vector<std::int32_t> windows; ///< [layers]: attention reaches so far back; 0 is everything
  std::optional<token_id> bos;
  std::vector<token_id> eos; ///< any of these ends a continuation; may be empty
  tensor_names names;

  /// Columns of the stacked query, key and value projection.
  std::int32_t qkv_width() const { return (heads + 2 * kv_heads) * head_dim; }
};

/// Blocks that the longest sequence takes.
inline std::int32_t blocks_of_context(const architecture& a, std::int32_t block_tokens) {
  return (a.max_positions + block_tokens - 1) / block_tokens;
}

/// Bytes that one token's keys and values take in all layers.
inline std::uint64_t kv_bytes_per_token(const architecture& a, dtype type) {
  return std::uint64_t{2} * static_cast<std::uint64_t>(a.layers) *
         static_cast<std::uint64_t>(a.kv_heads) * static_cast<std::uint64_t>(a.head_dim) *
         size_of(type);
}

} // namespace troupe
