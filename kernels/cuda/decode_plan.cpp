// Where there are more sequences than blocks, pieces are short enough for several to come to each
// block: those that are done early then take what is left. Where there are fewer, pieces are the
// shortest of which all run at once.
#include "kernels/cuda/decode_plan.hpp"

#include <algorithm>

namespace troupe::cuda {

namespace {

constexpr std::int64_t shortest_piece = 256;

struct query_tile {
  std::int32_t begin;
  std::int32_t end;
};

query_tile seen_by(const sequence_rows& run, std::int32_t first_query, const decode_shape& shape) {
  const std::int32_t first = run.first_position + first_query / shape.group;
  const std::int32_t last =
      run.first_position +
      std::min(first_query + decode_queries - 1, run.rows * shape.group - 1) / shape.group;
  return {shape.window > 0 ? std::max(0, first - shape.window + 1) : 0, last + 1};
}

/// Calls f(run, first query, positions) for each tile of queries.
template <class F>
void each_tile(std::span<const sequence_rows> runs, const decode_shape& shape, const F& f) {
  for (const sequence_rows& run : runs) {
    if (run.rows > shape.most_rows) continue;
    for (std::int32_t query = 0; query < run.rows * shape.group; query += decode_queries)
      f(run, query, seen_by(run, query, shape));
  }
}

std::int64_t pieces_of(std::int64_t length, std::int64_t longest) {
  return std::max<std::int64_t>(1, (length + longest - 1) / longest);
}

std::int64_t rounded_up(std::int64_t positions) {
  return (positions + decode_step - 1) / decode_step * decode_step;
}

/// The tile's positions from the step that holds its first on.
std::int64_t steps_of(const query_tile& seen) {
  return seen.end - seen.begin / decode_step * decode_step;
}

std::int64_t longest_piece(std::span<const sequence_rows> runs, const decode_shape& shape) {
  std::int64_t tiles = 0, positions = 0;
  each_tile(runs, shape, [&](const sequence_rows&, std::int32_t, const query_tile& seen) {
    ++tiles;
    positions += steps_of(seen);
  });
  const std::int64_t blocks = std::max(1, shape.blocks / shape.kv_heads); // for each key head
  if (tiles > blocks / 2)
    return std::max(rounded_up(positions / (pieces_a_block * blocks)), shortest_piece);
  const auto pieces = [&](std::int64_t longest) {
    std::int64_t count = 0;
    each_tile(runs, shape, [&](const sequence_rows&, std::int32_t, const query_tile& seen) {
      count += pieces_of(steps_of(seen), longest);
    });
    return count;
  };
  std::int64_t longest = std::max(rounded_up(positions / blocks), shortest_piece);
  while (pieces(longest) > blocks) longest += rounded_up(longest / 16);
  return longest;
}

} // namespace

decode_plan plan_decode(std::span<const sequence_rows> runs, const decode_shape& shape) {
  const std::int64_t longest = longest_piece(runs, shape);
  decode_plan plan;
  std::vector<decode_piece> small;
  each_tile(runs, shape, [&](const sequence_rows& run, std::int32_t query, const query_tile& seen) {
    const std::int64_t count = pieces_of(steps_of(seen), longest);
    // Cut at multiples of the step, so that no piece shares a step with another.
    const std::int64_t first = seen.begin / decode_step * decode_step;
    const std::int64_t length = rounded_up((seen.end - first + count - 1) / count);
    const auto parts = static_cast<std::int32_t>(pieces_of(seen.end - first, length));
    auto& into = 2 * length > longest ? plan.pieces : small;
    for (std::int32_t part = 0; part < parts; ++part) {
      const auto begin = static_cast<std::int32_t>(first + part * length);
      into.push_back({run.table, run.first_row, run.first_position, run.rows * shape.group, query,
                      std::max(begin, seen.begin),
                      static_cast<std::int32_t>(std::min<std::int64_t>(begin + length, seen.end)),
                      part, parts, plan.parts});
    }
    if (parts > 1) plan.parts += parts;
  });
  plan.pieces.insert(plan.pieces.end(), small.begin(), small.end());
  return plan;
}

} // namespace troupe::cuda
