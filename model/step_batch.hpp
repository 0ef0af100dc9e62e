// One step's batch as the kernels read it. Everything is int32 and goes to the device in a single
// upload; tokens that the device chose and the host does not know yet are filled in there.
#pragma once

#include "kernels/ops.hpp"
#include "model/slot_table.hpp"

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

/// Device memory for batches of at most `tokens` rows and `sequences` tables of `table_blocks`
/// blocks.
class step_batch {
 public:
  step_batch(backend& device, std::int32_t tokens, std::int32_t sequences,
             std::int32_t table_blocks);
  /// Bytes that such a one takes.
  static std::uint64_t bytes(std::int32_t tokens, std::int32_t sequences,
                             std::int32_t table_blocks);

  /// Builds and issues the upload; rows beyond those of `work` may stand behind them. Valid for
  /// what is issued before the next call.
  batch_view load(std::span<const slot_work> work, std::int32_t block_tokens);
  /// Uploads the numbers of rows whose logits are wanted; at most as many as the batch's rows.
  const std::int32_t* load_rows(std::span<const std::int32_t> rows);
  /// Where each slot's last sampled token stays on the device: [sequences].
  token_id* chosen() const { return reinterpret_cast<token_id*>(chosen_owner_.get()); }

 private:
  /// As how many sequences these are computed. Single rows are filled up to as many as the device
  /// likes by copies of the last, which write the same to the same place.
  std::size_t filled_up(std::span<const slot_work> work) const;

  backend& device_;
  std::int32_t most_rows_; // of single rows
  std::int32_t table_blocks_;
  memory owner_;
  memory rows_owner_;
  memory chosen_owner_;
  std::vector<std::int32_t> host_;
  std::vector<sequence_rows> runs_;
  std::vector<std::int32_t> host_rows_;
};

} // namespace troupe
