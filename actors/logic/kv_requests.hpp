// What a scheduler asks of the blocks' owner and what it is told: plain data, all of a step at
// once. The parts of a request are served in the order in which they stand here, so that what is
// released can be leased again at once.
#pragma once

#include "model/step.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// The next whole blocks of a sequence are computed and hold these tokens: others may share them.
struct kv_publish {
  sequence_id sequence = 0;
  token_ids tokens; ///< a multiple of the block size
};

/// Blocks behind those a sequence has already.
struct kv_extend {
  sequence_id sequence = 0;
  std::uint32_t blocks = 0;
};

/// The first blocks of a sequence; those whose content is cached come filled.
struct kv_lease {
  sequence_id sequence = 0;
  std::shared_ptr<const token_ids>
      ids;                  ///< what will be computed; the last token is never taken from the cache
  std::uint32_t blocks = 0; ///< how many in all
  std::uint32_t reserve = 0; ///< denied unless this many stay available for those who run already
  std::string salt;          ///< shares cached blocks with equal salts only
  bool reuse = true;         ///< may take cached blocks
};

struct kv_requests {
  std::vector<kv_publish> published;
  std::vector<sequence_id> released;
  std::vector<kv_extend> extended;
  std::vector<kv_lease> leased; ///< where one is denied, those behind it are too

  bool empty() const {
    return published.empty() && released.empty() && extended.empty() && leased.empty();
  }
};

/// Blocks given, in the order of the sequence's tokens.
struct kv_grant {
  sequence_id sequence = 0;
  std::vector<block_id> blocks;
  std::uint32_t cached_tokens = 0; ///< of a lease: so many tokens are computed already
};

/// The cache as it stands. total = free + idle + used, always.
struct kv_stats {
  std::uint32_t total = 0;
  std::uint32_t free = 0;      ///< hold nothing
  std::uint32_t idle = 0;      ///< cached and used by nobody: leased again when free runs out
  std::uint32_t used = 0;      ///< some sequence has them
  std::uint32_t ownerless = 0; ///< uses of blocks that no known sequence has; not 0 is a defect
  std::uint64_t queried_tokens = 0; ///< prompt tokens looked up in the prefix cache
  std::uint64_t hit_tokens = 0;     ///< and found there
};

struct kv_replies {
  std::vector<kv_grant> extended;
  std::vector<sequence_id> not_extended;
  std::vector<kv_grant> leased;
  std::vector<sequence_id> not_leased;
  kv_stats stats;
};

} // namespace troupe
