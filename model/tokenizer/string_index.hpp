// From a token's spelling to its id: a hash table with open addressing over one string of all
// spellings. A vocabulary is read while a server starts and looked into for every word, so neither
// may chase pointers.
#pragma once

#include "config/sampling.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class string_index {
 public:
  explicit string_index(std::size_t expected = 0);

  /// Adds `text`; false where it is already there, which changes nothing.
  bool insert(std::string_view text, token_id id);

  /// The id of `text`, or -1.
  token_id find(std::string_view text) const;

  std::size_t longest() const { return longest_; } ///< bytes of the longest text

 private:
  struct slot {
    std::uint32_t hash = 0;
    token_id id = -1; // -1: free
    std::uint32_t begin = 0;
    std::uint32_t length = 0;
  };

  void grow();
  const slot& slot_of(std::uint32_t hash, std::string_view text) const;

  std::vector<slot> slots_; // a power of two of them, at most half in use
  std::string texts_;
  std::size_t used_ = 0;
  std::size_t longest_ = 0;
};

} // namespace troupe
