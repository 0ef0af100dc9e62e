#include "model/resident_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace troupe {

resident_tables::resident_tables(std::int32_t slots, std::int32_t stride)
    : stride_(stride), rows_(static_cast<std::size_t>(std::max(slots, 0))) {
  if (slots < 1 || stride < 1 ||
      std::int64_t{slots} * stride > std::numeric_limits<std::int32_t>::max())
    throw std::invalid_argument(
        fmt::format("block tables of {} sequences of {} blocks: both must be at least 1, and their "
                    "product at most {}",
                    slots, stride, std::numeric_limits<std::int32_t>::max()));
}

std::size_t resident_tables::blocks_of(const slot_state& state) const {
  return std::min(state.blocks.size(), static_cast<std::size_t>(stride_));
}

void resident_tables::append_missing(slot_id slot, const slot_state& state,
                                     std::vector<std::int32_t>& changes) const {
  const known_row& known = rows_.at(slot);
  const std::int32_t first = static_cast<std::int32_t>(slot) * stride_;
  for (std::size_t i = known.opening == state.opening ? known.blocks : 0; i < blocks_of(state);
       ++i) {
    changes.push_back(first + static_cast<std::int32_t>(i));
    changes.push_back(state.blocks[i]);
  }
}

void resident_tables::note_sent(slot_id slot, const slot_state& state) {
  rows_.at(slot) = {state.opening, blocks_of(state)};
}

} // namespace troupe
