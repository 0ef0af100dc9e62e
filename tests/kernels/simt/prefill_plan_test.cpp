// How a prefill's attention is cut: all of it, once, and evenly.
#include "kernels/cuda/prefill_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace troupe::cuda {

namespace {

std::int64_t load_of(const prefill_plan& plan, std::int32_t block) {
  std::int64_t tiles = 0;
  for (std::int32_t i = plan.first_item[static_cast<std::size_t>(block)];
       i < plan.first_item[static_cast<std::size_t>(block) + 1]; ++i)
    tiles += plan.items[static_cast<std::size_t>(i)].key_tiles;
  return tiles;
}

TEST(PrefillPlan, HoldsEveryTileOfEveryHeadOnce) {
  const std::vector<sequence_rows> runs = {{0, 100, 0, 0}, {100, 1, 70, 1}, {101, 40, 500, 2}};
  const auto plan = plan_prefill(runs, {6, 2, 64}, 0, 1, 5);
  std::set<std::tuple<int, int, int>> seen;
  for (const auto& item : plan.items)
    EXPECT_TRUE(seen.emplace(item.table, item.kv_head, item.first_query).second);
  std::set<std::tuple<int, int, int>> all;
  for (int head = 0; head < 2; ++head) {
    for (const int first : {0, 128, 256}) all.emplace(0, head, first); // 300 queries
    all.emplace(1, head, 0);                                           // 3 queries
    all.emplace(2, head, 0);                                           // 120 queries
  }
  EXPECT_EQ(seen, all);
  EXPECT_EQ(plan.first_item.front(), 0);
  EXPECT_EQ(plan.first_item.back(), std::ssize(plan.items));
}

TEST(PrefillPlan, GivesATileTheKeysThatItsQueriesSee) {
  const std::vector<sequence_rows> runs = {{0, 300, 1000}};
  std::map<int, std::pair<int, int>>
      keys; // by the first query: first key tile, one behind the last
  for (const auto& item : plan_prefill(runs, {1, 1, 64}, 0, 1, 1).items)
    keys[item.first_query] = {item.first_keys, item.first_keys + item.key_tiles};
  EXPECT_EQ(keys[0], std::pair(0, 1127 / prefill_keys + 1));
  EXPECT_EQ(keys[128], std::pair(0, 1255 / prefill_keys + 1));
  EXPECT_EQ(keys[256], std::pair(0, 1299 / prefill_keys + 1));
  for (const auto& item : plan_prefill(runs, {1, 1, 64}, 200, 1, 1).items)
    keys[item.first_query] = {item.first_keys, item.first_keys + item.key_tiles};
  EXPECT_EQ(keys[0], std::pair(801 / prefill_keys, 1127 / prefill_keys + 1));
  EXPECT_EQ(keys[128], std::pair(929 / prefill_keys, 1255 / prefill_keys + 1));
}

TEST(PrefillPlan, LeavesOutShortRuns) {
  const std::vector<sequence_rows> runs = {{0, 9, 0, 4}, {9, 10, 0, 6}, {19, 0, 0, 2}};
  const auto plan = plan_prefill(runs, {1, 1, 64}, 0, 10, 4);
  ASSERT_EQ(plan.items.size(), 1U);
  EXPECT_EQ(plan.items[0].table, 6);
  EXPECT_EQ(plan.items[0].first_row, 9);
  EXPECT_EQ(plan.items[0].rows, 10);
  EXPECT_EQ(plan_prefill(runs, {1, 1, 64}, 0, 11, 4).blocks(), 0);
  EXPECT_EQ(plan_prefill(runs, {1, 1, 64}, 0, 0, 4).items.size(), 2U);
}

TEST(PrefillPlan, LoadsBlocksEvenly) {
  const std::vector<sequence_rows> runs = {{0, 8192, 0}};
  const auto plan = plan_prefill(runs, {32, 8, 128}, 0, 1, 132);
  ASSERT_EQ(plan.blocks(), 132);
  std::int64_t least = load_of(plan, 0), most = least;
  for (std::int32_t b = 1; b < plan.blocks(); ++b) {
    least = std::min(least, load_of(plan, b));
    most = std::max(most, load_of(plan, b));
  }
  EXPECT_LE(most, least + least / 100);
}

TEST(PrefillPlan, HasNoBlocksWithoutItems) {
  const std::vector<sequence_rows> runs = {{0, 100, 0}};
  EXPECT_EQ(plan_prefill(runs, {2, 2, 64}, 0, 1, 132).blocks(), 2);
}

} // namespace

} // namespace troupe::cuda
