// How attention of sequences with few rows is cut into work for a GPU's blocks. Reading keys and
// values is all that takes time, so all that is to be read stands in one line, sequence after
// sequence, and is cut into lists of about the same length, at most as many as blocks run at once
// for a key head, so that all are done at about the same time. A sequence over which a cut goes has
// to be merged, so cuts that are near its beginning or end are moved there. The host knows the
// positions, so it cuts, once for all layers of a step. Without CUDA: tested by itself.
#pragma once

#include "kernels/ops.hpp"

#include <span>
#include <vector>

namespace troupe::cuda {

/// Queries that one piece has: rows of a sequence times the query heads of a key head.
constexpr std::int32_t decode_queries = 16;
/// Positions that pieces begin and end at, but at a sequence's ends.
constexpr std::int32_t decode_step = 64;

struct decode_piece {
  std::int32_t table;          ///< the sequence's row of the block tables
  std::int32_t first_row;      ///< of the sequence, in the batch
  std::int32_t first_position; ///< of that row
  std::int32_t queries;        ///< of the sequence: rows * group
  std::int32_t first_query;    ///< of the piece
  std::int32_t begin;          ///< positions [begin, end)
  std::int32_t end;
  std::int32_t part;       ///< which of the parts that are merged; 0 where it is the only one
  std::int32_t parts;      ///< how many are merged
  std::int32_t first_part; ///< the first of them, among all that are merged
  std::int32_t next;       ///< which piece the same list goes on with; 0: none
};

/// What is known of the heads and the device.
struct decode_shape {
  std::int32_t group = 1;     ///< query heads of a key head
  std::int32_t kv_heads = 1;  //
  std::int32_t window = 0;    ///< positions that a row sees; 0: all
  std::int32_t most_rows = 8; ///< sequences with more rows get no piece
  std::int32_t blocks = 1;    ///< that the device runs at once

  bool operator==(const decode_shape&) const = default;
};

struct decode_plan {
  std::vector<decode_piece> pieces; ///< those that lists begin with come first
  std::size_t lists = 0;            ///< a power of two, so that launches repeat; the last ones may
                                    ///< have an empty piece only
  std::int32_t parts = 0;           ///< of all that are merged, less than twice the lists
};

/// Lists that blocks can do at once for each key head.
std::int32_t most_decode_lists(const decode_shape& shape);

decode_plan plan_decode(std::span<const sequence_rows> runs, const decode_shape& shape);

} // namespace troupe::cuda
