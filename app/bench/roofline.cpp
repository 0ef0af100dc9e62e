#include "app/bench/roofline.hpp"

#include <algorithm>

namespace troupe {
namespace {

double attention_width(const architecture& model) {
  return static_cast<double>(model.heads) * model.head_dim;
}

/// Elements of one layer's linear maps.
double layer_elements(const architecture& model) {
  const double hidden = model.hidden;
  return hidden * model.qkv_width() + attention_width(model) * hidden + 3 * hidden * model.ffn;
}

} // namespace

model_cost cost_of(const architecture& model, dtype weight_type, dtype kv_type) {
  const double layers = model.layers * layer_elements(model);
  const double head = static_cast<double>(model.vocab) * model.hidden;
  return {.weight_bytes = (layers + head) * static_cast<double>(size_of(weight_type)),
          .row_operations = 2 * layers,
          .head_operations = 2 * head,
          .kv_bytes = static_cast<double>(kv_bytes_per_token(model, kv_type)),
          .attention_operations = 4 * attention_width(model) * model.layers};
}

double attended(const architecture& model, double context) {
  double sum = 0;
  for (const std::int32_t window : model.windows)
    sum += window > 0 ? std::min<double>(window, context) : context;
  return model.windows.empty() ? context : sum / static_cast<double>(model.windows.size());
}

roofline roofline_of(const architecture& model, const model_cost& cost, const workload& load,
                     const yardsticks& device) {
  const double decoding = load.sequences * (cost.row_operations + cost.head_operations);
  const double context = load.sequences * attended(model, load.input + load.output / 2);
  const double prompt_rows = load.sequences * load.input / load.output;
  const double prompt_context = prompt_rows * attended(model, load.input / 2);
  roofline out;
  out.weights = std::max(cost.weight_bytes / device.copy_rate, decoding / device.matrix_rate);
  out.context = std::max(context * cost.kv_bytes / device.copy_rate,
                         context * cost.attention_operations / device.matrix_rate);
  out.prompts = (prompt_rows * cost.row_operations + prompt_context * cost.attention_operations) /
                device.matrix_rate;
  out.sequences = load.sequences;
  return out;
}

} // namespace troupe
