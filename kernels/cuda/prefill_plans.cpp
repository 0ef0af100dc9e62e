#include "kernels/cuda/prefill_plans.hpp"

#include <algorithm>
#include <cstring>

namespace troupe::cuda {

prefill_plans::on_device prefill_plans::get(const batch_view& batch, const head_shape& heads,
                                            std::int32_t window, std::int32_t least_rows) {
  const what of{heads.heads, heads.kv_heads, window, least_rows};
  entry& place = place_for(of);
  if (place.of) return place.plan;
  upload(place, plan_prefill(batch.runs, heads, window, least_rows, most_blocks_));
  place.of = of;
  return place.plan;
}

void prefill_plans::forget() {
  for (entry& e : entries_) e.of.reset();
}

/// The entry of this plan, or one that is free, or a new one.
prefill_plans::entry& prefill_plans::place_for(const what& of) {
  auto found = std::ranges::find(entries_, std::optional(of), &entry::of);
  if (found == entries_.end())
    found = std::ranges::find(entries_, std::optional<what>(), &entry::of);
  return found != entries_.end() ? *found : entries_.emplace_back();
}

/// Items first, which are aligned to 16 bytes, then where the blocks' begin.
void prefill_plans::upload(entry& to, const prefill_plan& plan) {
  to.plan = {plan.blocks()};
  if (plan.items.empty()) return;
  const std::size_t item_bytes = plan.items.size() * sizeof(prefill_item);
  const std::size_t first_bytes = plan.first_item.size() * sizeof(std::int32_t);
  std::vector<std::byte> words(item_bytes + first_bytes);
  std::memcpy(words.data(), plan.items.data(), item_bytes);
  std::memcpy(words.data() + item_bytes, plan.first_item.data(), first_bytes);
  if (words.size() > to.bytes) {
    to.bytes = 0;
    to.words = allocate_device(2 * words.size());
    to.bytes = 2 * words.size();
  }
  uploads_.upload(to.words.get(), words.data(), words.size());
  to.plan.items = reinterpret_cast<const prefill_item*>(to.words.get());
  to.plan.first_item = reinterpret_cast<const std::int32_t*>(to.words.get() + item_bytes);
}

} // namespace troupe::cuda
