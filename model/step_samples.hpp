// Which rows of a step need logits, what is to be sampled from them, and what becomes of the
// samples: tokens, accepted drafts, the prompt's own logprobs.
#pragma once

#include "kernels/ops.hpp"
#include "model/step_batch.hpp"

#include <functional>
#include <list>
#include <memory>
#include <span>
#include <vector>

namespace troupe {

/// The sampling of one pass.
class step_samples {
 public:
  /// Collects the rows of all slots whose result has no error. Draft rows are sampled as if the
  /// drafts before them were right.
  explicit step_samples(std::span<const slot_work> work);

  std::size_t size() const { return rows_.size(); }
  /// The batch's rows [first, first + count) of those collected.
  std::span<const std::int32_t> batch_rows(std::size_t first, std::size_t count) const {
    return std::span(batch_rows_).subspan(first, count);
  }
  /// What to sample from their logits, which stand in that order from row 0 on.
  std::vector<sample_row> rows(std::size_t first, std::size_t count) const;
  /// What was issued for the rows that follow those added before. From then on nothing here refers
  /// to the slots' states any more.
  void add(std::unique_ptr<pending_samples> issued) { issued_.push_back(std::move(issued)); }

  /// Waits for the samples, writes every slot's result and moves its state on. A draft is accepted
  /// while it is what was sampled before it, so that tokens are the same with and without drafts.
  void finish(std::span<const slot_work> work);

 private:
  void collect_prompt(const slot_work& work, std::int32_t first_row);
  void collect_tokens(const slot_work& work, std::int32_t first_row);
  void finish_slot(const slot_work& work, std::span<const sampled_token> prompt,
                   std::span<const sampled_token> sampled) const;

  std::vector<std::int32_t> batch_rows_;
  std::vector<sample_row> rows_;
  std::list<token_ids> drafted_; ///< ids with drafts behind them; rows_ refer to them
  std::vector<std::unique_ptr<pending_samples>> issued_;
};

} // namespace troupe
