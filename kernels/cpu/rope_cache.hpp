// Sines and cosines of one batch's positions. Every layer of a step rotates by the same angles, so
// they are computed once and found again by their inputs' values; a model with two kinds of layers
// has two tables.
#pragma once

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/ops.hpp"

#include <array>

namespace troupe {

class rope_cache {
 public:
  /// For each of `tokens` positions: pairs = head_dim / 2 cosines, then as many sines, both times
  /// the table's attention factor. Valid until the next call. The angle is the f32 product of
  /// position and inverse frequency, as models are trained.
  const float* find(const rope_table& rope, std::int32_t pairs, const std::int32_t* positions,
                    std::int32_t tokens, thread_pool& pool);

 private:
  struct entry {
    std::vector<float> frequencies;
    float factor = 0;
    std::vector<std::int32_t> positions;
    std::vector<float> values; // [tokens, 2, pairs]
  };

  std::array<entry, 2> entries_;
  std::size_t oldest_ = 0;
};

} // namespace troupe
