// A number for all that ops are issued with: whoever comes with the same number again promises the
// same launches. Model and devices name their own parts of it.
#pragma once

#include <cstdint>

namespace troupe {

struct launch_name {
  std::uint64_t value = 0;

  launch_name& add(std::uint64_t what) {
    value = (value ^ what) * 0x9E3779B97F4A7C15U + 1;
    value ^= value >> 29U;
    return *this;
  }
  launch_name& add(const void* place) { return add(reinterpret_cast<std::uintptr_t>(place)); }
};

} // namespace troupe
