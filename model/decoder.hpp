// The forward pass of every family served, and the weights that it reads. What families differ in
// is in the architecture; a part that a model does not have is a matrix without data, which the ops
// pass over.
#pragma once

#include "kernels/ops.hpp"
#include "model/architecture.hpp"
#include "model/kv_cache.hpp"
#include "model/rope_frequencies.hpp"
#include "model/weight_loader.hpp"
#include "model/workspace.hpp"

#include <vector>

namespace troupe {

/// The weights of one layer. Linear maps are [outputs, inputs]; biases and norms are vectors.
struct decoder_layer {
  device_weight attention_norm; // [hidden]
  device_weight qkv;            // [(heads + 2 kv_heads) * head_dim, hidden]
  device_weight qkv_bias;
  device_weight query_norm; // [head_dim]
  device_weight key_norm;   // [head_dim]
  device_weight output;     // [hidden, heads * head_dim]
  device_weight output_bias;
  device_weight mlp_norm; // [hidden]
  device_weight gate_up;  // [2 * ffn, hidden], gate first
  device_weight gate_up_bias;
  device_weight down; // [hidden, ffn]
  device_weight down_bias;
};

/// A loaded model on one device. Immutable: all that changes while it runs is in the arguments.
class decoder {
 public:
  /// Loads every weight that the architecture needs. `device` must outlive the decoder. Throws
  /// model_error where a tensor is absent, misshapen or not finite, device_error where memory ends.
  decoder(architecture model, const safetensors& files, backend& device,
          const load_progress& progress = {});

  /// Bytes that these weights will take of the device's memory. Throws model_error where a tensor
  /// is absent or misshapen.
  static std::uint64_t bytes_on(backend& device, const architecture& model,
                                const safetensors& files);

  const architecture& model() const { return model_; }
  /// Bytes of the weights as the files hold them.
  std::uint64_t bytes() const { return bytes_; }

  /// Lets the device find out how it multiplies best for steps that fit `work`, whose contents are
  /// lost.
  void tune(const workspace& work) const;

  /// Issues one step: stores the batch's keys and values in `cache`, leaves the final hidden
  /// states, before their norm, as the sum of work.residual and work.delta: [batch.tokens, hidden].
  void forward(const batch_view& batch, const kv_cache& cache, const workspace& work) const;

  /// Issues the logits of `count` rows of the last step, whose numbers stand in device memory at
  /// `rows`; returned: [count, vocab] f32, in work.logits.
  matrix logits(const std::int32_t* rows, std::int32_t count, const workspace& work) const;

 private:
  /// The ops of forward().
  void compute(const batch_view& batch, const kv_cache& cache, const workspace& work) const;
  std::uint64_t name_of_constants() const;
  /// The same for batches of single rows that lie at the same places, and no other: then all ops
  /// are the same. 0: nothing of the kind.
  std::uint64_t name_of(const batch_view& batch, const kv_cache& cache,
                        const workspace& work) const;
  decoder(architecture model, backend& device);
  void load(const safetensors& files, weight_loader& load);
  decoder_layer load_layer(weight_loader& load, std::int32_t index) const;

  /// The weight of the logits.
  const matrix& head() const { return head_.view.data != nullptr ? head_.view : embedding_.view; }

  architecture model_;
  backend& device_;
  rope_frequencies rope_;
  device_weight embedding_; // [vocab, hidden]
  device_weight head_;      // [vocab, hidden]; without data where tied to the embedding
  device_weight final_norm_;
  std::vector<decoder_layer> layers_;
  std::uint64_t bytes_ = 0;
  std::uint64_t constants_ = 0; // name_of_constants()
};

} // namespace troupe
