// The plans of prefill attention on the device. All layers with one window work by one plan, which
// is made and uploaded at the first of them.
#pragma once

#include "kernels/cuda/prefill_plan.hpp"
#include "kernels/cuda/staging.hpp"

#include <optional>

namespace troupe::cuda {

class prefill_plans {
 public:
  /// A plan in device memory, valid for what is issued before the next batch's.
  struct on_device {
    std::int32_t blocks = 0;
    const prefill_item* items = nullptr;
    const std::int32_t* first_item = nullptr; // [blocks + 1]
  };

  /// For so many blocks at most.
  prefill_plans(std::int32_t most_blocks, staging& uploads)
      : most_blocks_(most_blocks), uploads_(uploads) {}

  /// Keeps no plan, but the memory.
  void forget();

  /// The plan for the batch (plan_prefill()), kept from an earlier call or uploaded.
  on_device get(const batch_view& batch, const head_shape& heads, std::int32_t window,
                std::int32_t least_rows);

 private:
  struct what {
    std::int32_t heads = 0, kv_heads = 0, window = 0, least_rows = 0;
    bool operator==(const what&) const = default;
  };
  struct entry {
    std::optional<what> of; ///< nothing: its memory is free
    on_device plan;
    memory words;
    std::size_t bytes = 0; // of the memory
  };

  entry& place_for(const what& of);
  void upload(entry& to, const prefill_plan& plan);

  std::int32_t most_blocks_;
  staging& uploads_;
  std::vector<entry> entries_;
};

} // namespace troupe::cuda
