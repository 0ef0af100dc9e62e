// The pass reads top-down: one line a stage. Each block's addition to the residual is carried in
// `delta` into the next norm, which adds and normalises at once.
#include "model/decoder.hpp"

#include "kernels/launch_name.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <tuple>
#include <utility>

namespace troupe {

namespace {

weight_part weight(const std::string& map, std::int64_t rows) { return {map + ".weight", rows}; }
weight_part bias(const std::string& map, std::int64_t rows) { return {map + ".bias", rows}; }

/// Steps of many rows take so long that nobody waits for launches.
constexpr std::int32_t most_repeated_rows = 1024;

/// Some exporters keep a tied matrix under the head's name only.
std::string embedding_name(const architecture& model, const safetensors& files) {
  const bool under_head = model.tied_embeddings && !files.contains(model.names.embedding) &&
                          files.contains(model.names.head);
  return under_head ? model.names.head : model.names.embedding;
}

} // namespace

decoder::decoder(architecture model, backend& device)
    : model_(std::move(model)), device_(device),
      rope_(make_rope_frequencies(model_.rope, model_.head_dim)) {}

decoder::decoder(architecture model, const safetensors& files, backend& device,
                 const load_progress& progress)
    : decoder(std::move(model), device) {
  weight_loader loader(files, device, progress);
  load(files, loader);
  device.wait();
  bytes_ = loader.bytes();
  constants_ = name_of_constants();
}

std::uint64_t decoder::bytes_on(backend& device, const architecture& model,
                                const safetensors& files) {
  const load_progress silent;
  weight_loader counting(files, device, silent, loading_mode::measure);
  decoder(model, device).load(files, counting);
  return counting.device_bytes();
}

void decoder::load(const safetensors& files, weight_loader& load) {
  embedding_ = load.stacked({{embedding_name(model_, files), model_.vocab}}, model_.hidden);
  for (std::int32_t i = 0; i < model_.layers; ++i) layers_.push_back(load_layer(load, i));
  final_norm_ = load.norm(model_.names.final_norm, model_.hidden);
  if (!model_.tied_embeddings)
    head_ = load.stacked({{model_.names.head, model_.vocab}}, model_.hidden);
}

decoder_layer decoder::load_layer(weight_loader& load, std::int32_t index) const {
  const tensor_names& names = model_.names;
  const std::string at = fmt::format(fmt::runtime(names.layer), index);
  const std::int64_t queries = std::int64_t{model_.heads} * model_.head_dim;
  const std::int64_t keys = std::int64_t{model_.kv_heads} * model_.head_dim;
  const std::int64_t hidden = model_.hidden;
  const std::int64_t ffn = model_.ffn;
  const auto [q, k, v] = std::tuple(at + names.query, at + names.key, at + names.value);
  const auto [gate, up] = std::pair(at + names.gate, at + names.up);
  decoder_layer out;
  out.attention_norm = load.norm(at + names.attention_norm, hidden);
  out.qkv = load.stacked({weight(q, queries), weight(k, keys), weight(v, keys)}, hidden);
  if (model_.qkv_bias) out.qkv_bias = load.bias({bias(q, queries), bias(k, keys), bias(v, keys)});
  if (model_.head_norm) {
    out.query_norm = load.norm(at + names.query_norm, model_.head_dim);
    out.key_norm = load.norm(at + names.key_norm, model_.head_dim);
  }
  out.output = load.stacked({weight(at + names.output, hidden)}, queries);
  if (model_.output_bias) out.output_bias = load.bias({bias(at + names.output, hidden)});
  out.mlp_norm = load.norm(at + names.mlp_norm, hidden);
  out.gate_up = load.stacked({weight(gate, ffn), weight(up, ffn)}, hidden);
  if (model_.mlp_bias) out.gate_up_bias = load.bias({bias(gate, ffn), bias(up, ffn)});
  out.down = load.stacked({weight(at + names.down, hidden)}, ffn);
  if (model_.mlp_bias) out.down_bias = load.bias({bias(at + names.down, hidden)});
  return out;
}

void decoder::tune(const workspace& work) const {
  const decoder_layer& layer = layers_.front();
  device_.tune_matmul(work.qkv, work.normed, layer.qkv.view);
  device_.tune_matmul(work.delta, work.attended, layer.output.view);
  device_.tune_matmul(work.gate_up, work.normed, layer.gate_up.view);
  device_.tune_matmul(work.delta, work.activated, layer.down.view);
  device_.tune_matmul(work.logits, work.selected, head_.view.data ? head_.view : embedding_.view);
}

void decoder::forward(const batch_view& batch, const kv_cache& cache, const workspace& work) const {
  device_.begin(batch);
  device_.issue(name_of(batch, cache, work), [&] { compute(batch, cache, work); });
}

/// Of all that its ops are issued with and steps do not change.
std::uint64_t decoder::name_of_constants() const {
  launch_name name;
  for (const float constant : rope_.inverse_frequencies)
    name.add(std::bit_cast<std::uint32_t>(constant));
  for (const float constant : {rope_.attention_factor, model_.norm_epsilon})
    name.add(std::bit_cast<std::uint32_t>(constant));
  for (const std::int32_t window : model_.windows) name.add(static_cast<std::uint32_t>(window));
  name.add(static_cast<std::uint64_t>(model_.heads) << 32U |
           static_cast<std::uint32_t>(model_.head_dim));
  name.add(embedding_.view.data);
  for (const decoder_layer& layer : layers_) name.add(layer.down.view.data);
  return name.value;
}

std::uint64_t decoder::name_of(const batch_view& batch, const kv_cache& cache,
                               const workspace& work) const {
  if (batch.tokens > most_repeated_rows || batch.tokens != batch.sequences) return 0;
  launch_name name{constants_};
  name.add(batch.ids).add(batch.block_tables);
  name.add(static_cast<std::uint64_t>(batch.tokens) << 32U |
           static_cast<std::uint32_t>(batch.table_stride));
  name.add(static_cast<std::uint64_t>(cache.layer(0).block_tokens));
  for (std::int32_t i = 0; i < model_.layers; ++i) {
    name.add(cache.layer(i).keys.data);
    name.add(cache.layer(i).values.data);
  }
  for (const matrix& buffer : {work.residual, work.normed, work.qkv, work.attended, work.delta,
                               work.gate_up, work.activated})
    name.add(buffer.data);
  return name.value;
}

void decoder::compute(const batch_view& batch, const kv_cache& cache, const workspace& work) const {
  const std::int64_t n = batch.tokens;
  const matrix residual = first_rows(work.residual, n);   // [n, hidden]
  const matrix normed = first_rows(work.normed, n);       // [n, hidden]
  const matrix qkv = first_rows(work.qkv, n);             // [n, (heads + 2 kv_heads) * head_dim]
  const matrix attended = first_rows(work.attended, n);   // [n, heads * head_dim]
  const matrix added = first_rows(work.delta, n);         // [n, hidden]
  const matrix gate_up = first_rows(work.gate_up, n);     // [n, 2 * ffn]
  const matrix activated = first_rows(work.activated, n); // [n, ffn]
  const head_shape heads{model_.heads, model_.kv_heads, model_.head_dim};
  const rope_table rope{rope_.inverse_frequencies.data(), rope_.attention_factor};
  const float scale = 1.0F / std::sqrt(static_cast<float>(model_.head_dim));
  const float epsilon = model_.norm_epsilon;

  device_.embed(residual, embedding_.view, batch.ids);
  matrix delta{};
  for (std::int32_t i = 0; i < model_.layers; ++i) {
    const decoder_layer& layer = layers_[static_cast<std::size_t>(i)];
    const kv_pages& pages = cache.layer(i);
    const std::int32_t window = model_.windows[static_cast<std::size_t>(i)];
    device_.add_rms_norm(normed, residual, delta, layer.attention_norm.view, epsilon);
    device_.matmul(qkv, normed, layer.qkv.view, layer.qkv_bias.view);
    device_.norm_rope_store(qkv, layer.query_norm.view, layer.key_norm.view, epsilon, rope, heads,
                            pages, batch);
    device_.attention(attended, qkv, heads, pages, batch, scale, window, 0.0F);
    device_.matmul(added, attended, layer.output.view, layer.output_bias.view);
    device_.add_rms_norm(normed, residual, added, layer.mlp_norm.view, epsilon);
    device_.gated_matmul(activated, normed, layer.gate_up.view, layer.gate_up_bias.view, gate_up);
    device_.matmul(added, activated, layer.down.view, layer.down_bias.view);
    delta = added;
  }
}

matrix decoder::logits(const std::int32_t* rows, std::int32_t count, const workspace& work) const {
  const matrix selected = first_rows(work.selected, count); // [count, hidden]
  const matrix out = first_rows(work.logits, count);        // [count, vocab]
  device_.gather_rms_norm(selected, work.residual, work.delta, final_norm_.view,
                          model_.norm_epsilon, rows);
  device_.matmul(out, selected, head(), {});
  return out;
}

} // namespace troupe
