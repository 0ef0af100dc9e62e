// The device with a model's weights on it: its memory planned, the weights brought there, and all
// of it made again where the device has failed for good, since nothing on it outlives that.
#pragma once

#include "config/settings.hpp"
#include "model/memory_plan.hpp"
#include "model/runner.hpp"
#include "model/served_model.hpp"

#include <functional>
#include <memory>

namespace troupe {

/// Makes a device for a model of this type.
using device_maker = std::function<std::unique_ptr<backend>(const engine_settings&, dtype)>;

/// Used by one thread at a time.
class engine_device {
 public:
  /// Makes the device and brings the model's weights there, as `chosen` says and as far as the plan
  /// of its memory lets it. `model` comes from read_model. Throws model_error, before anything
  /// large is allocated, where the settings do not work, and device_error.
  engine_device(const settings& chosen, served_model model, device_maker make,
                const load_progress& progress);

  /// What was chosen, with what suits the device where that was left open.
  const engine_settings& settings_used() const { return settings_; }
  const memory_plan& memory() const { return memory_; }
  bool is_gpu() const { return device_->is_gpu(); }

  /// Makes a runner; where the device has failed, that and the weights first. No runner made
  /// before may be alive then: throws device_error where one is.
  std::unique_ptr<runner> make_runner();

 private:
  step_limits limits() const;
  /// Brings the weights to the device and lets it find out how it computes with them best.
  void bring_weights(const load_progress& progress);

  engine_settings settings_;
  served_model model_; // without weights
  device_maker make_;
  std::unique_ptr<backend> device_;
  std::shared_ptr<const decoder> weights_;
  memory_plan memory_;
};

} // namespace troupe
