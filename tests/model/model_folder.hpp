// Model folders written by tests: a temporary folder, files in it, and safetensors with whatever
// header a test wants.
#pragma once

#include "tests/temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::testing {

/// `length` as the format's first eight bytes.
inline std::string length_bytes(std::uint64_t length) {
  std::string out(8, '\0');
  for (int i = 0; i < 8; ++i)
    out[static_cast<std::size_t>(i)] = static_cast<char>(length >> (8 * i));
  return out;
}

/// A file with this header text and so many bytes of data.
inline std::string safetensors_file(const std::string& header, const std::string& data) {
  return length_bytes(header.size()) + header + data;
}

/// Named f32 tensors.
struct f32_tensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};
using f32_tensors = std::map<std::string, f32_tensor>;

inline std::string safetensors_file(const f32_tensors& tensors) {
  nlohmann::json header = nlohmann::json::object();
  std::string data;
  for (const auto& [name, t] : tensors) {
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(t.values.data()), t.values.size() * sizeof(float));
    header[name] = {{"dtype", "F32"}, {"shape", t.shape}, {"data_offsets", {begin, data.size()}}};
  }
  return safetensors_file(header.dump(), data);
}

/// A config.json of a small Llama that is right in every field.
inline nlohmann::json small_config() {
  return {{"model_type", "llama"},  {"hidden_size", 32},        {"intermediate_size", 48},
          {"num_hidden_layers", 2}, {"num_attention_heads", 4}, {"num_key_value_heads", 2},
          {"head_dim", 8},          {"vocab_size", 64},         {"max_position_embeddings", 128},
          {"rms_norm_eps", 1e-5},   {"hidden_act", "silu"},     {"tie_word_embeddings", true},
          {"rope_theta", 10000.0},  {"eos_token_id", 2},        {"torch_dtype", "float32"}};
}

/// Random weights for small_config().
inline f32_tensors small_weights() {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  f32_tensors out;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape, float scale,
                       float shift) {
    std::int64_t n = 1;
    for (const std::int64_t d : shape) n *= d;
    f32_tensor t{std::move(shape), {}};
    for (std::int64_t i = 0; i < n; ++i) t.values.push_back(shift + scale * normal(random));
    out[name] = std::move(t);
  };
  add("model.embed_tokens.weight", {64, 32}, 0.5F, 0);
  add("model.norm.weight", {32}, 0.1F, 1);
  for (const std::string at : {"model.layers.0.", "model.layers.1."}) {
    add(at + "input_layernorm.weight", {32}, 0.1F, 1);
    add(at + "post_attention_layernorm.weight", {32}, 0.1F, 1);
    add(at + "self_attn.q_proj.weight", {32, 32}, 0.2F, 0);
    add(at + "self_attn.k_proj.weight", {16, 32}, 0.2F, 0);
    add(at + "self_attn.v_proj.weight", {16, 32}, 0.2F, 0);
    add(at + "self_attn.o_proj.weight", {32, 32}, 0.2F, 0);
    add(at + "mlp.gate_proj.weight", {48, 32}, 0.2F, 0);
    add(at + "mlp.up_proj.weight", {48, 32}, 0.2F, 0);
    add(at + "mlp.down_proj.weight", {32, 48}, 0.2F, 0);
  }
  return out;
}

/// The same, except that token 40's logits are not numbers.
inline f32_tensors overflowing_weights() {
  auto weights = small_weights();
  // Channel 31 is zero but in token 40, and the first MLP multiplies it beyond what a float holds.
  auto& embedding = weights.at("model.embed_tokens.weight").values;
  for (std::size_t token = 0; token < 64; ++token)
    embedding[token * 32 + 31] = token == 40 ? 5.0F : 0.0F;
  for (const std::string at : {"model.layers.0.", "model.layers.1."}) {
    std::ranges::fill_n(weights.at(at + "self_attn.o_proj.weight").values.begin() + 31 * 32, 32,
                        0.0F);
    std::ranges::fill_n(weights.at(at + "mlp.down_proj.weight").values.begin() + 31 * 48, 48, 0.0F);
  }
  for (const std::string map : {"gate_proj", "up_proj"})
    for (std::size_t row = 0; row < 48; ++row)
      weights.at("model.layers.0.mlp." + map + ".weight").values[row * 32 + 31] = 1e25F;
  return weights;
}

/// What `action` throws, as text; "" where it does not throw.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

} // namespace troupe::testing
