// How the attention of a prefill is cut into work for a GPU's blocks: tiles of queries of one key
// head, given out so that all blocks are done at about the same time. The longest tile goes to the
// block that has least to do (LPT: Graham, Bounds on multiprocessing timing anomalies, 1969).
//
// The query heads that share a key head stand beside each other: query q of a sequence and key head
// is its row q / group, head q % group of those. So short runs still fill a tile.
#pragma once

#include "kernels/ops.hpp"

#include <span>
#include <vector>

namespace troupe::cuda {

/// Queries of a tile and keys that it meets at a time.
constexpr std::int32_t prefill_queries = 128;
constexpr std::int32_t prefill_keys = 128;

/// One tile of queries, with what a kernel needs to know of its sequence.
struct prefill_item {
  std::int32_t table = 0; ///< its row of the block tables
  std::int32_t first_row = 0;
  std::int32_t rows = 0;
  std::int32_t first_position = 0;
  std::int32_t kv_head = 0;
  std::int32_t first_query = 0; ///< of the tile
  std::int32_t first_keys = 0;  ///< key tiles [first_keys, first_keys + key_tiles), from position 0
  std::int32_t key_tiles = 0;   ///< at least 1
};

struct prefill_plan {
  std::vector<prefill_item> items;      // those of a block are adjacent
  std::vector<std::int32_t> first_item; // [blocks + 1]

  std::int32_t blocks() const { return static_cast<std::int32_t>(first_item.size()) - 1; }
};

/// Plans for the sequences of at least `least_rows` rows, for at most `most_blocks` blocks (at
/// least 1). There are no blocks without items. window > 0: the last positions that a query sees.
prefill_plan plan_prefill(std::span<const sequence_rows> runs, const head_shape& heads,
                          std::int32_t window, std::int32_t least_rows, std::int32_t most_blocks);

} // namespace troupe::cuda
