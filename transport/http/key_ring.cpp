#include "transport/http/key_ring.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace troupe {

key_ring::key_ring(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) digests_.push_back(hash(key));
}

bool key_ring::admits(std::string_view presented) const {
  const digest given = hash(presented);
  unsigned found = 0;
  for (const digest& each : digests_)
    found |= static_cast<unsigned>(CRYPTO_memcmp(each.data(), given.data(), given.size()) == 0);
  return open() || found != 0;
}

key_ring::digest key_ring::hash(std::string_view text) {
  digest result{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), result.data());
  return result;
}

} // namespace troupe
