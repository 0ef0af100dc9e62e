// The parts stand one behind the other: ids, positions, sequence_of, first_row, block tables.
#include "model/step_batch.hpp"

#include <algorithm>

namespace troupe {

namespace {

std::int32_t blocks_of(const slot_work& work, std::int32_t block_tokens) {
  const std::int64_t end = std::int64_t{work.run->first} + work.rows();
  return static_cast<std::int32_t>((end + block_tokens - 1) / block_tokens);
}

} // namespace

step_batch::step_batch(backend& device, std::int32_t tokens, std::int32_t sequences,
                       std::int32_t table_blocks)
    : device_(device) {
  const std::size_t words =
      std::size_t{3} * static_cast<std::size_t>(tokens) + static_cast<std::size_t>(sequences) + 1 +
      static_cast<std::size_t>(sequences) * static_cast<std::size_t>(table_blocks);
  owner_ = device.allocate(words * sizeof(std::int32_t));
  rows_owner_ = device.allocate(static_cast<std::size_t>(tokens) * sizeof(std::int32_t));
}

batch_view step_batch::load(std::span<const slot_work> work, std::int32_t block_tokens) {
  batch_view view;
  view.sequences = static_cast<std::int32_t>(work.size());
  for (const slot_work& w : work) {
    view.tokens += w.rows();
    view.table_stride = std::max(view.table_stride, blocks_of(w, block_tokens));
  }
  const auto tokens = static_cast<std::size_t>(view.tokens);
  const auto stride = static_cast<std::size_t>(view.table_stride);
  host_.assign(3 * tokens + work.size() + 1 + work.size() * stride, 0);
  std::int32_t* ids = host_.data();
  std::int32_t* positions = ids + tokens;
  std::int32_t* sequence_of = positions + tokens;
  std::int32_t* first_row = sequence_of + tokens;
  std::int32_t* tables = first_row + work.size() + 1;
  std::int32_t row = 0;
  for (std::size_t s = 0; s < work.size(); ++s) {
    const slot_run& run = *work[s].run;
    const slot_state& state = *work[s].state;
    first_row[s] = row;
    std::ranges::copy_n(state.ids.begin() + run.first, run.tokens, ids + row);
    std::ranges::copy(run.drafts, ids + row + run.tokens);
    for (std::int32_t i = 0; i < work[s].rows(); ++i) {
      positions[row + i] = static_cast<std::int32_t>(run.first) + i;
      sequence_of[row + i] = static_cast<std::int32_t>(s);
    }
    std::ranges::copy_n(state.blocks.begin(), blocks_of(work[s], block_tokens),
                        tables + s * stride);
    row += work[s].rows();
  }
  first_row[work.size()] = row;
  device_.upload(owner_.get(), host_.data(), host_.size() * sizeof(std::int32_t));
  const auto* base = reinterpret_cast<const std::int32_t*>(owner_.get());
  view.ids = base;
  view.positions = base + (positions - host_.data());
  view.sequence_of = base + (sequence_of - host_.data());
  view.first_row = base + (first_row - host_.data());
  view.block_tables = base + (tables - host_.data());
  return view;
}

const std::int32_t* step_batch::load_rows(std::span<const std::int32_t> rows) {
  host_rows_.assign(rows.begin(), rows.end());
  device_.upload(rows_owner_.get(), host_rows_.data(), rows.size_bytes());
  return reinterpret_cast<const std::int32_t*>(rows_owner_.get());
}

} // namespace troupe
