#include "app/engine_device.hpp"

#include "config/device_defaults.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

// Rows of logits in memory at once. On a processor a step with more goes through the head in parts;
// a GPU takes all that decode.
constexpr std::uint32_t most_logits_rows = 256;

memory_plan plan_for(const served_model& model, backend& device, const settings& chosen,
                     const engine_settings& engine, const step_limits& limits) {
  memory_request request;
  request.free_bytes = device.free_memory();
  request.device_bytes = device.reserve(limits);
  request.weight_bytes = decoder::bytes_on(device, model.structure, *model.files);
  request.activation_type = device.activation_type();
  request.block_tokens = static_cast<std::int32_t>(engine.block_tokens);
  request.max_sequences = limits.sequences;
  request.step_tokens = limits.tokens;
  request.logits_rows = limits.logits_rows;
  request.max_context = static_cast<std::int32_t>(chosen.model.max_context);
  if (engine.kv_memory > 0) request.kv_bytes = engine.kv_memory;
  request.fraction = engine.memory_fraction;
  return plan_memory(model.structure, request);
}

} // namespace

engine_device::engine_device(const settings& chosen, served_model model, device_maker make,
                             const load_progress& progress)
    : model_(std::move(model)), make_(std::move(make)),
      device_(make_(chosen.engine, model_.structure.type)) {
  settings_ = fitted_to_device(chosen.engine, device_->is_gpu());
  if (device_->is_gpu()) settings_.device = device_kind::cuda; // and nothing else after a failure
  memory_ = plan_for(model_, *device_, chosen, settings_, limits());
  bring_weights(progress);
}

step_limits engine_device::limits() const {
  const std::uint32_t decoding = std::min(settings_.max_sequences, settings_.step_tokens);
  return {.tokens = static_cast<std::int32_t>(settings_.step_tokens),
          .sequences = static_cast<std::int32_t>(settings_.max_sequences),
          .logits_rows = static_cast<std::int32_t>(
              device_->is_gpu() ? decoding : std::min(settings_.step_tokens, most_logits_rows)),
          .head_dim = model_.structure.head_dim,
          .vocab = model_.structure.vocab};
}

void engine_device::bring_weights(const load_progress& progress) {
  weights_ = std::make_shared<const decoder>(model_.structure, *model_.files, *device_, progress);
  if (!settings_.tuning || settings_.deterministic || !device_->is_gpu()) return;
  if (progress) progress("tuning", 0, 0);
  const step_limits most = limits();
  const workspace scratch(*device_, model_.structure, most.tokens, most.logits_rows);
  weights_->tune(scratch);
  device_->wait();
}

std::unique_ptr<runner> engine_device::make_runner() {
  if (!weights_ || device_->failed()) {
    if (weights_.use_count() > 1)
      throw device_error("the device failed and what was made on it is still in use");
    weights_.reset();
    device_.reset();
    device_ = make_(settings_, model_.structure.type);
    device_->reserve(limits());
    bring_weights({});
  }
  const step_limits most = limits();
  const runner_options options{memory_.blocks, memory_.block_tokens, most.sequences, most.tokens,
                               most.logits_rows};
  return std::make_unique<runner>(weights_, *device_, options);
}

} // namespace troupe
