// The API keys. Only their SHA-256 is kept, and a presented key is compared with all of them in
// constant time, so that the time tells nothing about any key.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class key_ring {
 public:
  explicit key_ring(const std::vector<std::string>& keys);

  /// Whether anybody may come in.
  bool open() const { return digests_.empty(); }
  bool admits(std::string_view presented) const;

 private:
  using digest = std::array<unsigned char, 32>;
  static digest hash(std::string_view text);

  std::vector<digest> digests_;
};

} // namespace troupe
