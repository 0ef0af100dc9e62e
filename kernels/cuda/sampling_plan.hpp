// What a call of the device's sampler uploads: a task for each row and, behind the tasks, the words
// of all their lists. Rows that are merely greedy come first, then the rest that takes the logits
// as they are, then those that change them: one launch each.
#pragma once

#include "kernels/cuda/sampling_kernels.hpp"
#include "kernels/ops.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace troupe::cuda {

/// Which rows come where, and how much memory they take.
struct sampling_plan {
  std::vector<std::size_t> order; // the rows, kind by kind
  std::size_t of_kind[3] = {};    // greedy, plain and adjusted rows
  std::size_t words = 0;          // of all lists
  std::size_t tops = 0;           // rows that report alternatives
  bool reports = false;           // any row reports anything

  std::size_t tasks_bytes() const { return order.size() * sizeof(sampling_task); }
  std::size_t input_bytes() const { return tasks_bytes() + words * sizeof(std::uint32_t); }
  std::size_t heads_bytes() const { return order.size() * sizeof(sampling_head); }
  std::size_t output_bytes() const { return heads_bytes() + tops * sizeof(sampling_tops); }
};

/// Throws std::out_of_range for a token id outside the vocabulary, std::invalid_argument for more
/// alternatives or tokens than the kernels take.
sampling_plan plan_of(std::span<const sample_row> rows, std::int64_t vocab);

/// Writes plan.input_bytes(): tasks, then words.
void pack(std::byte* to, const sampling_plan& plan, std::span<const sample_row> rows,
          std::int64_t vocab);

} // namespace troupe::cuda
