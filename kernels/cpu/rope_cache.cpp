// Found by value, not by address: a batch's buffers keep their addresses while their contents move.
#include "kernels/cpu/rope_cache.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {

const float* rope_cache::find(const rope_table& rope, std::int32_t pairs,
                              const std::int32_t* positions, std::int32_t tokens,
                              thread_pool& pool) {
  const std::span frequencies(rope.inverse_frequencies, static_cast<std::size_t>(pairs));
  const std::span wanted(positions, static_cast<std::size_t>(tokens));
  for (auto& entry : entries_)
    if (entry.factor == rope.attention_factor &&
        std::ranges::equal(entry.frequencies, frequencies) &&
        std::ranges::equal(entry.positions, wanted))
      return entry.values.data();

  auto& entry = entries_[oldest_];
  oldest_ = (oldest_ + 1) % entries_.size();
  entry.factor = rope.attention_factor;
  entry.frequencies.assign(frequencies.begin(), frequencies.end());
  entry.positions.assign(wanted.begin(), wanted.end());
  entry.values.resize(wanted.size() * frequencies.size() * 2);
  pool.parallel_for(tokens, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t token = begin; token < end; ++token) {
      float* const cosines = entry.values.data() + token * pairs * 2;
      for (std::int32_t i = 0; i < pairs; ++i) {
        const float angle = static_cast<float>(positions[token]) * frequencies[i];
        cosines[i] = static_cast<float>(std::cos(double{angle})) * entry.factor;
        cosines[pairs + i] = static_cast<float>(std::sin(double{angle})) * entry.factor;
      }
    }
  });
  return entry.values.data();
}

} // namespace troupe
