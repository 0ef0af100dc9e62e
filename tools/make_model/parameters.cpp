#include "tools/make_model/parameters.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace troupe {
namespace {

constexpr double norm_deviation = 0.05;
constexpr double bias_deviation = 0.05;

class collecting {
 public:
  explicit collecting(const architecture& model) : model_(model) {}

  std::vector<parameter> all() {
    linear(model_.names.embedding, model_.vocab, model_.hidden);
    for (std::int32_t i = 0; i < model_.layers; ++i) layer(i);
    norm(model_.names.final_norm, model_.hidden);
    if (!model_.tied_embeddings) linear(model_.names.head, model_.vocab, model_.hidden);
    return std::move(out_);
  }

 private:
  void linear(std::string name, std::int64_t outputs, std::int64_t inputs) {
    const double deviation = 1.0 / std::sqrt(static_cast<double>(inputs));
    out_.push_back({std::move(name), {outputs, inputs}, 0, deviation});
  }

  void map(const std::string& name, std::int64_t outputs, std::int64_t inputs, bool biased) {
    linear(name + ".weight", outputs, inputs);
    if (biased) out_.push_back({name + ".bias", {outputs}, 0, bias_deviation});
  }

  void norm(std::string name, std::int64_t size) {
    out_.push_back({std::move(name), {size}, 1, norm_deviation});
  }

  void layer(std::int32_t index) {
    const tensor_names& names = model_.names;
    const std::string at = fmt::format(fmt::runtime(names.layer), index);
    const std::int64_t queries = std::int64_t{model_.heads} * model_.head_dim;
    const std::int64_t keys = std::int64_t{model_.kv_heads} * model_.head_dim;
    norm(at + names.attention_norm, model_.hidden);
    map(at + names.query, queries, model_.hidden, model_.qkv_bias);
    map(at + names.key, keys, model_.hidden, model_.qkv_bias);
    map(at + names.value, keys, model_.hidden, model_.qkv_bias);
    if (model_.head_norm) {
      norm(at + names.query_norm, model_.head_dim);
      norm(at + names.key_norm, model_.head_dim);
    }
    map(at + names.output, model_.hidden, queries, model_.output_bias);
    norm(at + names.mlp_norm, model_.hidden);
    map(at + names.gate, model_.ffn, model_.hidden, model_.mlp_bias);
    map(at + names.up, model_.ffn, model_.hidden, model_.mlp_bias);
    map(at + names.down, model_.hidden, model_.ffn, model_.mlp_bias);
  }

  const architecture& model_;
  std::vector<parameter> out_;
};

} // namespace

std::uint64_t parameter::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1},
                         [](std::uint64_t product, std::int64_t n) {
                           return product * static_cast<std::uint64_t>(n);
                         });
}

std::vector<parameter> parameters_of(const architecture& model) { return collecting(model).all(); }

std::uint64_t count_elements(const std::vector<parameter>& parameters) {
  std::uint64_t sum = 0;
  for (const parameter& each : parameters) sum += each.elements();
  return sum;
}

} // namespace troupe
