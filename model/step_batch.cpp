// A step's changes of the tables are few, but for the first run of a long sequence: there is room
// for as many as a step has rows and sequences, and what is beyond that follows in further uploads.
//
// The device takes everything in the order of the calls. So the next step's upload and its changes
// of a row, be it for another sequence that has the slot by then, touch nothing that a step issued
// before still reads.
#include "model/step_batch.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Words that describe a batch, without changes of the tables.
std::uint64_t fixed_words(std::uint64_t tokens, std::uint64_t sequences) {
  return 5 * tokens + sequences + 1;
}

std::uint64_t changes_of(std::int32_t tokens, std::int32_t sequences) {
  return static_cast<std::uint64_t>(tokens) + static_cast<std::uint64_t>(sequences);
}

std::uint64_t batch_words(std::int32_t tokens, std::int32_t sequences) {
  return fixed_words(static_cast<std::uint64_t>(tokens), static_cast<std::uint64_t>(sequences)) +
         2 * changes_of(tokens, sequences);
}

std::uint64_t table_words(std::int32_t sequences, std::int32_t table_blocks) {
  return static_cast<std::uint64_t>(sequences) * static_cast<std::uint64_t>(table_blocks);
}

std::int32_t* words(const memory& of) { return reinterpret_cast<std::int32_t*>(of.get()); }

} // namespace

/// Where the parts of a batch stand, on the host or on the device.
struct step_batch::parts {
  parts(std::int32_t* base, std::size_t tokens, std::size_t sequences)
      : ids(base), from(ids + tokens), positions(from + tokens), sequence_of(positions + tokens),
        table_of(sequence_of + tokens), first_row(table_of + tokens),
        changes(first_row + sequences + 1) {}

  std::int32_t* ids;
  std::int32_t* from; ///< slots whose chosen tokens the ids are; -1: of none
  std::int32_t* positions;
  std::int32_t* sequence_of;
  std::int32_t* table_of;
  std::int32_t* first_row;
  std::int32_t* changes;
};

std::uint64_t step_batch::bytes(std::int32_t tokens, std::int32_t sequences,
                                std::int32_t table_blocks) {
  const std::uint64_t rows_and_chosen =
      static_cast<std::uint64_t>(tokens) + static_cast<std::uint64_t>(sequences);
  return (batch_words(tokens, sequences) + table_words(sequences, table_blocks) + rows_and_chosen) *
         sizeof(std::int32_t);
}

step_batch::step_batch(backend& device, std::int32_t tokens, std::int32_t sequences,
                       std::int32_t table_blocks)
    : device_(device), most_rows_(std::min(tokens, sequences)),
      most_changes_(changes_of(tokens, sequences)), known_(sequences, table_blocks) {
  owner_ = device.allocate(batch_words(tokens, sequences) * sizeof(std::int32_t));
  tables_owner_ = device.allocate(table_words(sequences, table_blocks) * sizeof(std::int32_t));
  rows_owner_ = device.allocate(static_cast<std::size_t>(tokens) * sizeof(std::int32_t));
  chosen_owner_ = device.allocate(static_cast<std::size_t>(sequences) * sizeof(token_id));
}

std::size_t step_batch::filled_up(std::span<const slot_work> work) const {
  const auto is_single = [](const slot_work& w) { return w.rows() == 1; };
  if (!std::ranges::all_of(work, is_single)) return work.size();
  const std::int32_t rows = device_.fitting_rows(static_cast<std::int32_t>(work.size()));
  return rows <= most_rows_ ? static_cast<std::size_t>(rows) : work.size();
}

std::size_t step_batch::list_runs(std::span<const slot_work> work, std::size_t sequences) {
  runs_.clear();
  std::int32_t rows = 0;
  for (std::size_t s = 0; s < sequences; ++s) {
    const slot_work& w = work[std::min(s, work.size() - 1)];
    runs_.push_back({rows, w.rows(), static_cast<std::int32_t>(w.run->first),
                     static_cast<std::int32_t>(w.run->slot)});
    rows += w.rows();
  }
  return static_cast<std::size_t>(rows);
}

bool step_batch::fill(const parts& to, std::span<const slot_work> work) const {
  bool unknown = false;
  for (std::size_t s = 0; s < runs_.size(); ++s) {
    const slot_run& run = *work[std::min(s, work.size() - 1)].run;
    const slot_state& state = *work[std::min(s, work.size() - 1)].state;
    const sequence_rows& rows = runs_[s];
    const std::int32_t row = rows.first_row;
    to.first_row[s] = row;
    // Only the last of a run's tokens can be unknown: it was sampled from the one before it.
    const auto known = state.ids.size() > run.first
                           ? std::min<std::size_t>(run.tokens, state.ids.size() - run.first)
                           : 0;
    std::ranges::copy_n(state.ids.begin() + run.first, static_cast<std::ptrdiff_t>(known),
                        to.ids + row);
    std::fill_n(to.from + row, rows.rows, -1);
    if (known < run.tokens) {
      to.from[row + static_cast<std::int32_t>(known)] = static_cast<std::int32_t>(run.slot);
      unknown = true;
    }
    std::ranges::copy(run.drafts, to.ids + row + run.tokens);
    for (std::int32_t i = 0; i < rows.rows; ++i) {
      to.positions[row + i] = rows.first_position + i;
      to.sequence_of[row + i] = static_cast<std::int32_t>(s);
      to.table_of[row + i] = rows.table;
    }
  }
  to.first_row[runs_.size()] = runs_.back().first_row + runs_.back().rows;
  return unknown;
}

void step_batch::send(std::size_t fixed, std::int32_t* changes) {
  const std::size_t room = 2 * most_changes_;
  std::size_t end = std::min(host_.size(), fixed + room);
  device_.upload(owner_.get(), host_.data(), end * sizeof(std::int32_t));
  for (std::size_t begin = fixed; begin < host_.size();) {
    device_.place(words(tables_owner_), changes, static_cast<std::int32_t>((end - begin) / 2));
    begin = end;
    end = std::min(host_.size(), begin + room);
    if (begin < end)
      device_.upload(changes, host_.data() + begin, (end - begin) * sizeof(std::int32_t));
  }
}

batch_view step_batch::load(std::span<const slot_work> work) {
  const std::size_t tokens = list_runs(work, filled_up(work));
  const std::size_t fixed = fixed_words(tokens, runs_.size());
  host_.assign(fixed, 0);
  const bool unknown = fill(parts(host_.data(), tokens, runs_.size()), work);
  for (const slot_work& w : work) known_.append_missing(w.run->slot, *w.state, host_);
  const parts on_device(words(owner_), tokens, runs_.size());
  send(fixed, on_device.changes);
  for (const slot_work& w : work) known_.note_sent(w.run->slot, *w.state);

  batch_view view;
  view.tokens = static_cast<std::int32_t>(tokens);
  view.sequences = static_cast<std::int32_t>(runs_.size());
  if (unknown) device_.take_chosen(on_device.ids, on_device.from, chosen(), view.tokens);
  view.ids = on_device.ids;
  view.positions = on_device.positions;
  view.sequence_of = on_device.sequence_of;
  view.first_row = on_device.first_row;
  view.table_of = on_device.table_of;
  view.block_tables = words(tables_owner_);
  view.table_stride = known_.stride();
  view.runs = runs_;
  return view;
}

const std::int32_t* step_batch::load_rows(std::span<const std::int32_t> rows) {
  host_rows_.assign(rows.begin(), rows.end());
  device_.upload(rows_owner_.get(), host_rows_.data(), rows.size_bytes());
  return words(rows_owner_);
}

} // namespace troupe
