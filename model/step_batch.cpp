// The parts stand one behind the other: ids, where they come from, positions, sequence_of,
// first_row, block tables.
#include "model/step_batch.hpp"

#include <algorithm>
#include <bit>

namespace troupe {

namespace {

std::int32_t blocks_of(const slot_work& work, std::int32_t block_tokens) {
  const std::int64_t end = std::int64_t{work.run->first} + work.rows();
  return static_cast<std::int32_t>((end + block_tokens - 1) / block_tokens);
}

/// Words of the parts that describe the largest step.
std::uint64_t batch_words(std::int32_t tokens, std::int32_t sequences, std::int32_t table_blocks) {
  return std::uint64_t{4} * static_cast<std::uint64_t>(tokens) +
         static_cast<std::uint64_t>(sequences) + 1 +
         static_cast<std::uint64_t>(sequences) * static_cast<std::uint64_t>(table_blocks);
}

} // namespace

std::uint64_t step_batch::bytes(std::int32_t tokens, std::int32_t sequences,
                                std::int32_t table_blocks) {
  const std::uint64_t rows_and_chosen =
      static_cast<std::uint64_t>(tokens) + static_cast<std::uint64_t>(sequences);
  return (batch_words(tokens, sequences, table_blocks) + rows_and_chosen) * sizeof(std::int32_t);
}

step_batch::step_batch(backend& device, std::int32_t tokens, std::int32_t sequences,
                       std::int32_t table_blocks)
    : device_(device), most_rows_(std::min(tokens, sequences)), table_blocks_(table_blocks) {
  owner_ = device.allocate(batch_words(tokens, sequences, table_blocks) * sizeof(std::int32_t));
  rows_owner_ = device.allocate(static_cast<std::size_t>(tokens) * sizeof(std::int32_t));
  chosen_owner_ = device.allocate(static_cast<std::size_t>(sequences) * sizeof(token_id));
}

std::size_t step_batch::filled_up(std::span<const slot_work> work) const {
  const auto is_single = [](const slot_work& w) { return w.rows() == 1; };
  if (!std::ranges::all_of(work, is_single)) return work.size();
  const std::int32_t rows = device_.fitting_rows(static_cast<std::int32_t>(work.size()));
  return rows <= most_rows_ ? static_cast<std::size_t>(rows) : work.size();
}

batch_view step_batch::load(std::span<const slot_work> work, std::int32_t block_tokens) {
  const std::size_t sequences = filled_up(work);
  const auto at = [work](std::size_t s) -> const slot_work& {
    return work[std::min(s, work.size() - 1)];
  };
  batch_view view;
  view.sequences = static_cast<std::int32_t>(sequences);
  runs_.clear();
  for (std::size_t s = 0; s < sequences; ++s) {
    const slot_work& w = at(s);
    runs_.push_back({view.tokens, w.rows(), static_cast<std::int32_t>(w.run->first),
                     static_cast<std::int32_t>(s)});
    view.tokens += w.rows();
    view.table_stride = std::max(view.table_stride, blocks_of(w, block_tokens));
  }
  // So that tables that grow seldom move.
  view.table_stride = std::min(
      static_cast<std::int32_t>(std::bit_ceil(static_cast<std::uint32_t>(view.table_stride))),
      table_blocks_);
  const auto tokens = static_cast<std::size_t>(view.tokens);
  const auto stride = static_cast<std::size_t>(view.table_stride);
  host_.assign(4 * tokens + sequences + 1 + sequences * stride, 0);
  std::int32_t* ids = host_.data();
  std::int32_t* from = ids + tokens;
  std::int32_t* positions = from + tokens;
  std::int32_t* sequence_of = positions + tokens;
  std::int32_t* first_row = sequence_of + tokens;
  std::int32_t* tables = first_row + sequences + 1;
  std::fill_n(from, tokens, -1);
  std::int32_t row = 0;
  bool unknown = false;
  for (std::size_t s = 0; s < sequences; ++s) {
    const slot_work& w = at(s);
    const slot_run& run = *w.run;
    const slot_state& state = *w.state;
    first_row[s] = row;
    // Only the last of a run's tokens can be unknown: it was sampled from the one before it.
    const auto known = state.ids.size() > run.first
                           ? std::min<std::size_t>(run.tokens, state.ids.size() - run.first)
                           : 0;
    std::ranges::copy_n(state.ids.begin() + run.first, static_cast<std::ptrdiff_t>(known),
                        ids + row);
    if (known < run.tokens) {
      from[row + static_cast<std::int32_t>(known)] = static_cast<std::int32_t>(run.slot);
      unknown = true;
    }
    std::ranges::copy(run.drafts, ids + row + run.tokens);
    for (std::int32_t i = 0; i < w.rows(); ++i) {
      positions[row + i] = static_cast<std::int32_t>(run.first) + i;
      sequence_of[row + i] = static_cast<std::int32_t>(s);
    }
    std::ranges::copy_n(state.blocks.begin(), blocks_of(w, block_tokens), tables + s * stride);
    row += w.rows();
  }
  first_row[sequences] = row;
  device_.upload(owner_.get(), host_.data(), host_.size() * sizeof(std::int32_t));
  auto* base = reinterpret_cast<std::int32_t*>(owner_.get());
  if (unknown) device_.take_chosen(base, base + tokens, chosen(), view.tokens);
  view.runs = runs_;
  view.ids = base;
  view.positions = base + (positions - host_.data());
  view.sequence_of = base + (sequence_of - host_.data());
  view.first_row = base + (first_row - host_.data());
  view.table_of = view.sequence_of;
  view.block_tables = base + (tables - host_.data());
  return view;
}

const std::int32_t* step_batch::load_rows(std::span<const std::int32_t> rows) {
  host_rows_.assign(rows.begin(), rows.end());
  device_.upload(rows_owner_.get(), host_rows_.data(), rows.size_bytes());
  return reinterpret_cast<const std::int32_t*>(rows_owner_.get());
}

} // namespace troupe
