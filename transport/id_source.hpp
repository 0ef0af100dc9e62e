// Identifiers that are unique among servers and runs: 64 random bits drawn once, then a count.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <string>

namespace troupe {

class id_source {
 public:
  id_source() {
    std::random_device device;
    prefix_ = std::uint64_t{device()} << 32U | device();
  }

  /// 24 characters of [0-9a-f] or more.
  std::string next() { return fmt::format("{:016x}{:08x}", prefix_, count_.fetch_add(1)); }

 private:
  std::uint64_t prefix_ = 0;
  std::atomic<std::uint64_t> count_ = 1;
};

} // namespace troupe
