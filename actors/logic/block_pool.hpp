// Who has which block of the KV cache, and which blocks' content can be shared. A block is free
// (holds nothing), used (by one sequence, or by several that share a prefix) or idle (used by
// nobody, but its content is indexed and may be used again until a lease needs the room: least
// recently used first). Only whole blocks are ever shared, and nobody writes into a whole block, so
// sharing needs no copies.
#pragma once

#include "actors/logic/kv_requests.hpp"
#include "actors/logic/prefix_hash.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

class block_pool {
 public:
  /// blocks >= 1 of block_tokens >= 1 tokens each. `model` keeps the keys of different models
  /// apart.
  block_pool(std::uint32_t blocks, std::uint32_t block_tokens, std::string model);

  /// Serves all parts of a request, in their order. Sequences it does not know are passed over:
  /// their release may have overtaken a grant.
  kv_replies serve(const kv_requests& requests);

  /// All or nothing; nullopt where fewer than request.blocks + request.reserve blocks could be
  /// given.
  std::optional<kv_grant> lease(const kv_lease& request);
  /// The same, behind the blocks that the sequence has.
  std::optional<kv_grant> extend(const kv_extend& request);
  void publish(const kv_publish& request);
  void release(sequence_id sequence);

  kv_stats stats() const;

  /// The blocks of a sequence, empty where it is not known; for checks.
  std::vector<block_id> blocks_of(sequence_id sequence) const;
  /// Recounts everything from scratch; empty where all is well, else the first contradiction. For
  /// tests and audits.
  std::string contradiction() const;

 private:
  struct block {
    std::uint32_t users = 0;
    bool indexed = false;
    prefix_key key{};
    std::list<block_id>::iterator idle_place{}; // valid while users == 0 and indexed
  };
  struct holder {
    std::vector<block_id> blocks;
    std::uint32_t whole = 0; // blocks whose content is in `prefix`
    prefix_key prefix{};
  };

  std::uint32_t available() const {
    return static_cast<std::uint32_t>(free_.size() + idle_.size());
  }
  block_id take();
  void use(block_id id);
  void drop(block_id id);
  void forget(block_id id);

  std::uint32_t block_tokens_;
  std::string model_;
  std::vector<block> blocks_;
  std::vector<block_id> free_;
  std::list<block_id> idle_; // least recently used first
  std::unordered_map<prefix_key, block_id, prefix_key_hash> index_;
  std::unordered_map<sequence_id, holder> holders_;
  std::uint64_t uses_ = 0; // of blocks, as they count them
  std::uint64_t held_ = 0; // the same, as the holders have them: equal, or blocks were lost
  std::uint64_t queried_tokens_ = 0;
  std::uint64_t hit_tokens_ = 0;
};

} // namespace troupe
