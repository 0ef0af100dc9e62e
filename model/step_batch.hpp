// One step's batch as the kernels read it. Everything is int32 and goes to the device in a single
// upload; tokens that the device chose and the host does not know yet are filled in there. The
// block tables are there already, a row for each slot: what they lack goes along.
#pragma once

#include "kernels/ops.hpp"
#include "model/resident_tables.hpp"

#include <span>
#include <vector>

namespace troupe {

/// A slot's part in a step.
struct slot_work {
  const slot_run* run = nullptr;
  std::shared_ptr<slot_state> state;
  slot_result* result = nullptr;

  /// Rows of the batch: known tokens, then drafts.
  std::int32_t rows() const { return static_cast<std::int32_t>(run->tokens + run->drafts.size()); }
};

/// Device memory for batches of at most `tokens` rows, and for the tables of `sequences` slots of
/// `table_blocks` blocks.
class step_batch {
 public:
  /// Throws std::invalid_argument where the tables have more entries than 31 bits can number.
  step_batch(backend& device, std::int32_t tokens, std::int32_t sequences,
             std::int32_t table_blocks);
  /// Bytes that such a one takes.
  static std::uint64_t bytes(std::int32_t tokens, std::int32_t sequences,
                             std::int32_t table_blocks);

  /// Builds and issues the upload; rows beyond those of `work` may stand behind them. Valid for
  /// what is issued before the next call. Where it throws, the next call sends what this one should
  /// have.
  batch_view load(std::span<const slot_work> work);
  /// Uploads the numbers of rows whose logits are wanted; at most as many as the batch's rows.
  const std::int32_t* load_rows(std::span<const std::int32_t> rows);
  /// Where each slot's last sampled token stays on the device: [sequences].
  token_id* chosen() const { return reinterpret_cast<token_id*>(chosen_owner_.get()); }

 private:
  struct parts;

  /// As how many sequences these are computed. Single rows are filled up to as many as the device
  /// likes by copies of the last, which write the same to the same place.
  std::size_t filled_up(std::span<const slot_work> work) const;
  /// The rows of as many sequences; returns how many there are.
  std::size_t list_runs(std::span<const slot_work> work, std::size_t sequences);
  /// Whether some tokens are the device's to fill in.
  bool fill(const parts& to, std::span<const slot_work> work) const;
  /// Uploads host_ and brings the tables up to date with the changes that stand behind its first
  /// `fixed` words, as many at a time as there is room for on the device at `changes`.
  void send(std::size_t fixed, std::int32_t* changes);

  backend& device_;
  std::int32_t most_rows_; // of single rows
  std::size_t most_changes_;
  resident_tables known_;
  memory owner_;
  memory tables_owner_; // [sequences, table_blocks]
  memory rows_owner_;
  memory chosen_owner_;
  std::vector<std::int32_t> host_;
  std::vector<sequence_rows> runs_;
  std::vector<std::int32_t> host_rows_;
};

} // namespace troupe
