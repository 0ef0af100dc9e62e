#include "kernels/cuda/decode_plan.hpp"

#include <algorithm>
#include <bit>

namespace troupe::cuda {

namespace {

/// Steps that a sequence is not cut into less than: what is saved by a shorter list is lost again
/// by another beginning and a merge.
constexpr std::int64_t fewest_steps = 4;
/// To begin a piece takes as long as so many steps.
constexpr std::int64_t steps_to_begin = 1;

/// A tile of a sequence's queries, and the positions that it sees.
struct query_tile {
  const sequence_rows* run;
  std::int32_t first_query;
  std::int32_t begin;
  std::int32_t end;

  std::int32_t first_step() const { return begin / decode_step; }
  std::int64_t steps() const { return (end + decode_step - 1) / decode_step - first_step(); }
  std::int64_t cost() const { return steps_to_begin + steps(); }
};

std::vector<query_tile> tiles_of(std::span<const sequence_rows> runs, const decode_shape& shape) {
  std::vector<query_tile> tiles;
  for (const sequence_rows& run : runs) {
    if (run.rows > shape.most_rows) continue;
    const std::int32_t queries = run.rows * shape.group;
    for (std::int32_t query = 0; query < queries; query += decode_queries) {
      const std::int32_t first = run.first_position + query / shape.group;
      const std::int32_t last =
          run.first_position + std::min(query + decode_queries - 1, queries - 1) / shape.group;
      tiles.push_back(
          {&run, query, shape.window > 0 ? std::max(0, first - shape.window + 1) : 0, last + 1});
    }
  }
  return tiles;
}

class cutter {
 public:
  cutter(const decode_shape& shape, std::int64_t tiles, std::int64_t steps, std::int64_t cost)
      : group_(shape.group), cost_(cost) {
    const std::int64_t most = most_decode_lists(shape);
    lists_ = std::min(most, std::max(tiles, steps / fewest_steps));
  }

  void add(const query_tile& tile) {
    const std::int64_t steps = tile.steps();
    const std::size_t first_part = pieces_.size();
    std::int64_t from = 0;
    for (; cut_ < lists_ && end_of_list() < done_ + tile.cost(); ++cut_) {
      std::int64_t at = end_of_list() - done_ - steps_to_begin;
      if (at - from < fewest_steps)
        at = from;
      else if (steps - at < fewest_steps)
        at = steps;
      if (at > from) add_piece(tile, from, at);
      from = at;
      end_list();
    }
    if (from < steps) add_piece(tile, from, steps);
    number_parts(first_part);
    done_ += tile.cost();
  }

  decode_plan take() {
    end_list();
    decode_plan plan{.pieces = {}, .lists = 0, .parts = parts_};
    if (begins_.empty()) return plan;
    for (const std::size_t begin : begins_) plan.pieces.push_back(pieces_[begin]);
    plan.lists = std::bit_ceil(begins_.size());
    plan.pieces.resize(plan.lists);
    for (std::size_t list = 0; list < begins_.size(); ++list) {
      const std::size_t end = list + 1 < begins_.size() ? begins_[list + 1] : pieces_.size();
      std::size_t last = list;
      for (std::size_t i = begins_[list] + 1; i < end; ++i) {
        plan.pieces[last].next = static_cast<std::int32_t>(plan.pieces.size());
        last = plan.pieces.size();
        plan.pieces.push_back(pieces_[i]);
      }
    }
    return plan;
  }

 private:
  std::int64_t end_of_list() const { return cost_ * cut_ / lists_; }

  void end_list() {
    if (pieces_.size() > listed_) begins_.push_back(listed_);
    listed_ = pieces_.size();
  }

  void add_piece(const query_tile& tile, std::int64_t from, std::int64_t to) {
    const auto position = [&](std::int64_t step) {
      return static_cast<std::int32_t>((tile.first_step() + step) * decode_step);
    };
    const sequence_rows& run = *tile.run;
    pieces_.push_back({.table = run.table,
                       .first_row = run.first_row,
                       .first_position = run.first_position,
                       .queries = run.rows * group_,
                       .first_query = tile.first_query,
                       .begin = std::max(position(from), tile.begin),
                       .end = std::min(position(to), tile.end),
                       .part = 0,
                       .parts = 1,
                       .first_part = parts_,
                       .next = 0});
  }

  /// The pieces from `first` on are of one tile.
  void number_parts(std::size_t first) {
    const auto parts = static_cast<std::int32_t>(pieces_.size() - first);
    if (parts < 2) return;
    for (std::int32_t part = 0; part < parts; ++part) {
      decode_piece& piece = pieces_[first + static_cast<std::size_t>(part)];
      piece.part = part;
      piece.parts = parts;
    }
    parts_ += parts;
  }

  std::int32_t group_;
  std::int64_t cost_; ///< of all tiles
  std::int64_t lists_ = 1;
  std::int64_t done_ = 0;            ///< cost of the tiles that were added
  std::int64_t cut_ = 1;             ///< the list that is being filled ends there
  std::vector<decode_piece> pieces_; // in the order of the tiles
  std::vector<std::size_t> begins_;  // of lists
  std::size_t listed_ = 0;           ///< pieces that are in a list
  std::int32_t parts_ = 0;
};

} // namespace

std::int32_t most_decode_lists(const decode_shape& shape) {
  return std::max(1, shape.blocks / shape.kv_heads);
}

decode_plan plan_decode(std::span<const sequence_rows> runs, const decode_shape& shape) {
  const auto tiles = tiles_of(runs, shape);
  std::int64_t steps = 0, cost = 0;
  for (const query_tile& tile : tiles) {
    steps += tile.steps();
    cost += tile.cost();
  }
  cutter cut(shape, std::ssize(tiles), steps, cost);
  for (const query_tile& tile : tiles) cut.add(tile);
  return cut.take();
}

} // namespace troupe::cuda
