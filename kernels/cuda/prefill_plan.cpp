#include "kernels/cuda/prefill_plan.hpp"

#include <algorithm>
#include <queue>
#include <tuple>

namespace troupe::cuda {

namespace {

/// The tiles of one sequence and all its key heads.
void add_items(std::vector<prefill_item>& items, const sequence_rows& run, const head_shape& heads,
               std::int32_t window) {
  const std::int32_t group = heads.heads / heads.kv_heads;
  const std::int32_t queries = run.rows * group;
  for (std::int32_t first = 0; first < queries; first += prefill_queries) {
    const std::int32_t last = std::min(first + prefill_queries, queries) - 1;
    const std::int32_t last_position = run.first_position + last / group;
    const std::int32_t first_seen =
        window > 0 ? std::max(0, run.first_position + first / group - window + 1) : 0;
    const std::int32_t first_keys = first_seen / prefill_keys;
    for (std::int32_t head = 0; head < heads.kv_heads; ++head)
      items.push_back({run.table, run.first_row, run.rows, run.first_position, head, first,
                       first_keys, last_position / prefill_keys - first_keys + 1});
  }
}

} // namespace

prefill_plan plan_prefill(std::span<const sequence_rows> runs, const head_shape& heads,
                          std::int32_t window, std::int32_t least_rows, std::int32_t most_blocks) {
  std::vector<prefill_item> items;
  for (const sequence_rows& run : runs)
    if (run.rows >= std::max(least_rows, 1)) add_items(items, run, heads, window);
  std::stable_sort(items.begin(), items.end(), [](const prefill_item& a, const prefill_item& b) {
    return a.key_tiles > b.key_tiles;
  });

  const auto blocks = std::min(static_cast<std::size_t>(std::max(most_blocks, 1)), items.size());
  std::vector<std::vector<prefill_item>> of_block(blocks);
  using load = std::tuple<std::int64_t, std::size_t>; // key tiles, block
  std::priority_queue<load, std::vector<load>, std::greater<>> loads;
  for (std::size_t b = 0; b < blocks; ++b) loads.emplace(0, b);
  for (const prefill_item& item : items) {
    const auto [tiles, block] = loads.top();
    loads.pop();
    of_block[block].push_back(item);
    loads.emplace(tiles + item.key_tiles + 1, block); // beginning and end take about as long as one
  }

  prefill_plan plan{{}, {0}};
  plan.items.reserve(items.size());
  for (const auto& of : of_block) {
    plan.items.insert(plan.items.end(), of.begin(), of.end());
    plan.first_item.push_back(static_cast<std::int32_t>(plan.items.size()));
  }
  return plan;
}

} // namespace troupe::cuda
