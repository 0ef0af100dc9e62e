// What the device knows of each slot's blocks. The block tables stay there from step to step, a row
// for each slot, and a step sends only what they lack: the whole table of a sequence when it first
// runs, later a block now and then. This is the host's side of it, without the memory: what is
// missing is asked for, sent, and only then noted, so that what failed on the way is missing still.
#pragma once

#include "model/slot_table.hpp"

#include <vector>

namespace troupe {

class resident_tables {
 public:
  /// A row of `stride` blocks for each of `slots`, of which the device knows nothing. Throws
  /// std::invalid_argument where an entry's number would not fit 31 bits.
  resident_tables(std::int32_t slots, std::int32_t stride);

  /// Blocks of a row, and entries from one row to the next.
  std::int32_t stride() const { return stride_; }

  /// Appends what the device lacks of the table of who has `slot` now, as backend::place() takes
  /// it: number of the entry, block. Blocks beyond the stride, which no position needs, are left
  /// out. A row is written over from its beginning when the slot was opened anew, be it for the
  /// same sequence.
  void append_missing(slot_id slot, const slot_state& state,
                      std::vector<std::int32_t>& changes) const;
  /// All that append_missing() gave was issued.
  void note_sent(slot_id slot, const slot_state& state);

 private:
  struct known_row {
    std::uint64_t opening = 0; ///< slot_state::opening of whose blocks they are; 0: nobody's
    std::size_t blocks = 0;    ///< the first of them that were sent
  };
  std::size_t blocks_of(const slot_state& state) const;

  std::int32_t stride_;
  std::vector<known_row> rows_;
};

} // namespace troupe
