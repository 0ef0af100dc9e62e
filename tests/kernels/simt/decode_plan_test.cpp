// How decode attention cuts its work: every position that a query sees is in one piece, and pieces
// keep a device's blocks busy.
#include "kernels/cuda/decode_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace troupe::cuda {
namespace {

const decode_shape large{.group = 4, .kv_heads = 8, .blocks = 264};

std::vector<sequence_rows> single_rows(const std::vector<std::int32_t>& positions) {
  std::vector<sequence_rows> runs;
  for (const std::int32_t position : positions)
    runs.push_back({static_cast<std::int32_t>(runs.size()), 1, position});
  return runs;
}

std::int64_t length(const decode_piece& piece) { return piece.end - piece.begin; }

/// Those that are not empty.
std::vector<decode_piece> pieces_of(const decode_plan& plan) {
  std::vector<decode_piece> pieces;
  std::ranges::copy_if(plan.pieces, std::back_inserter(pieces),
                       [](const decode_piece& piece) { return length(piece) > 0; });
  return pieces;
}

/// Calls f with the numbers of a list's pieces.
template <class F>
void each_of(const decode_plan& plan, std::size_t list, const F& f) {
  for (std::size_t i = list;;) {
    f(i);
    i = static_cast<std::size_t>(plan.pieces.at(i).next);
    if (i == 0) return;
  }
}

/// Lists that are not empty.
std::ptrdiff_t lists_of(const decode_plan& plan) {
  return std::count_if(plan.pieces.begin(),
                       plan.pieces.begin() + static_cast<std::ptrdiff_t>(plan.lists),
                       [](const decode_piece& piece) { return length(piece) > 0; });
}

/// The longest list, in positions.
std::int64_t time_of(const decode_plan& plan) {
  std::int64_t longest = 0;
  for (std::size_t list = 0; list < plan.lists; ++list) {
    std::int64_t all = 0;
    each_of(plan, list, [&](std::size_t i) { all += length(plan.pieces[i]); });
    longest = std::max(longest, all);
  }
  return longest;
}

double share_of_best_time(const std::vector<std::int32_t>& positions) {
  std::int64_t all = 0;
  for (const std::int32_t position : positions) all += position + 1;
  const decode_plan plan = plan_decode(single_rows(positions), large);
  EXPECT_LE(lists_of(plan), large.blocks / large.kv_heads);
  return static_cast<double>(all * large.kv_heads) / large.blocks /
         static_cast<double>(time_of(plan));
}

TEST(DecodePlan, HasEveryPositionThatAQuerySeesOnce) {
  const std::vector<sequence_rows> runs = {
      {0, 1, 9000, 0}, {1, 8, 30, 1}, {9, 5, 4096, 2}, {14, 1, 0, 3}};
  for (const std::int32_t window : {0, 1, 100, 5000}) {
    auto shape = large;
    shape.window = window;
    std::map<std::pair<std::int32_t, std::int32_t>, std::vector<decode_piece>> tiles;
    for (const decode_piece& piece : pieces_of(plan_decode(runs, shape)))
      tiles[{piece.table, piece.first_query}].push_back(piece);
    EXPECT_EQ(tiles.size(), 1U + 2 + 2 + 1); // 4, 32, 20 and 4 queries
    for (auto& [tile, pieces] : tiles) {
      std::ranges::sort(pieces, {}, &decode_piece::part);
      const sequence_rows& run = runs[static_cast<std::size_t>(tile.first)];
      const std::int32_t first = run.first_position + tile.second / 4;
      const std::int32_t last = std::min(first + 3, run.first_position + run.rows - 1);
      EXPECT_EQ(pieces.front().begin, window > 0 ? std::max(0, first - window + 1) : 0);
      EXPECT_EQ(pieces.back().end, last + 1);
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        EXPECT_EQ(pieces[i].part, static_cast<std::int32_t>(i));
        EXPECT_EQ(pieces[i].parts, static_cast<std::int32_t>(pieces.size()));
        EXPECT_GT(length(pieces[i]), 0);
        if (i == 0) continue;
        EXPECT_EQ(pieces[i].begin, pieces[i - 1].end);
        EXPECT_EQ(pieces[i].begin % decode_step, 0);
      }
    }
  }
}

TEST(DecodePlan, LeavesOutSequencesOfManyRows) {
  const std::vector<sequence_rows> runs = {{0, 9, 0, 5}, {9, 8, 0, 7}};
  for (const decode_piece& piece : pieces_of(plan_decode(runs, large))) EXPECT_EQ(piece.table, 7);
}

TEST(DecodePlan, NumbersThePartsOfMergesOneBehindTheOther) {
  const decode_plan plan = plan_decode(single_rows({100'000, 50, 70'000, 20}), large);
  std::map<std::int32_t, std::vector<std::int32_t>> places;
  for (const decode_piece& piece : plan.pieces)
    if (piece.parts > 1) places[piece.first_part].push_back(piece.first_part + piece.part);
  EXPECT_EQ(places.size(), 2U);
  std::vector<std::int32_t> all;
  for (const auto& [merge, of] : places) all.insert(all.end(), of.begin(), of.end());
  std::ranges::sort(all);
  ASSERT_EQ(static_cast<std::int32_t>(all.size()), plan.parts);
  for (std::int32_t i = 0; i < plan.parts; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], i);
}

TEST(DecodePlan, HasNoMorePartsThanThereIsRoomFor) {
  for (const std::int32_t blocks : {8, 12, 264, 396})
    for (const std::int32_t kv_heads : {1, 2, 8})
      for (const std::size_t count : {1, 2, 7, 33, 500})
        for (const std::int32_t longest : {300, 5000, 200'000}) {
          std::vector<std::int32_t> positions;
          for (std::size_t i = 0; i < count; ++i)
            positions.push_back(static_cast<std::int32_t>(7919 * (i + 1) % longest));
          const decode_plan plan = plan_decode(
              single_rows(positions), {.group = 4, .kv_heads = kv_heads, .blocks = blocks});
          const auto lists = static_cast<std::size_t>(std::max(1, blocks / kv_heads));
          EXPECT_LE(lists_of(plan), static_cast<std::ptrdiff_t>(lists));
          EXPECT_LT(static_cast<std::size_t>(plan.parts), 2 * lists);
        }
}

TEST(DecodePlan, PutsEveryPieceInOneList) {
  for (const std::size_t count : {1, 3, 33, 256}) {
    const decode_plan plan = plan_decode(single_rows(std::vector<std::int32_t>(count, 700)), large);
    std::vector<int> listed(plan.pieces.size(), 0);
    for (std::size_t list = 0; list < plan.lists; ++list)
      each_of(plan, list, [&](std::size_t i) { ++listed.at(i); });
    EXPECT_EQ(listed, std::vector<int>(plan.pieces.size(), 1));
  }
  EXPECT_EQ(plan_decode({}, large).lists, 0U);
}

TEST(DecodePlan, LeavesShortSequencesWhole) {
  for (const decode_piece& piece : pieces_of(plan_decode(single_rows({0, 200, 255}), large)))
    EXPECT_EQ(piece.parts, 1);
}

TEST(DecodePlan, KeepsTheDeviceBusyWhateverTheLengths) {
  std::vector<std::int32_t> mixed(32, 4095);
  mixed[7] = 131'071;
  EXPECT_GT(share_of_best_time(mixed), 0.9);
  EXPECT_GT(share_of_best_time({131'071}), 0.9);
  for (const std::size_t count : {33, 40, 64, 100, 257})
    EXPECT_GT(share_of_best_time(std::vector<std::int32_t>(count, 4095)), 0.95) << count;
  for (const std::size_t count : {2, 32, 33}) // no more than there are blocks for
    for (const std::int32_t context : {50, 100, 191}) {
      const decode_plan plan =
          plan_decode(single_rows(std::vector<std::int32_t>(count, context)), large);
      EXPECT_EQ(time_of(plan), context + 1) << count;
    }
  for (const std::int32_t context : {127, 191, 225, 500})
    EXPECT_GT(share_of_best_time(std::vector<std::int32_t>(256, context)), 0.8) << context;
}

} // namespace
} // namespace troupe::cuda
