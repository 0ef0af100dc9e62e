// How attention of sequences with few rows is cut into pieces of work, one for each block and key
// head. Reading keys and values is all that takes time, so a piece is a range of positions: long
// sequences are cut until every multiprocessor has about the same to read, short ones stay whole,
// since what is cut has to be merged. The host knows the positions, so it cuts, once for all layers
// of a step. Without CUDA: tested by itself.
#pragma once

#include "kernels/ops.hpp"

#include <span>
#include <vector>

namespace troupe::cuda {

/// Queries that one piece has: rows of a sequence times the query heads of a key head.
constexpr std::int32_t decode_queries = 16;
/// Positions that pieces begin and end at, but at a sequence's ends.
constexpr std::int32_t decode_step = 64;

/// Pieces that each block gets where there are many sequences, about.
constexpr std::int64_t pieces_a_block = 4;

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
  std::vector<decode_piece> pieces; ///< the long ones first
  std::int32_t parts = 0;           ///< of all that are merged
};

decode_plan plan_decode(std::span<const sequence_rows> runs, const decode_shape& shape);

} // namespace troupe::cuda
