// A step between its issue and its result. The parts refer to each other, so it stays where it is.
#pragma once

#include "kernels/ops.hpp"
#include "model/step.hpp"
#include "model/step_batch.hpp"
#include "model/step_samples.hpp"

#include <list>
#include <memory>
#include <span>
#include <vector>

namespace troupe {

/// One forward pass: all of the step's work, or a part where the whole could not be issued.
struct issued_pass {
  std::span<slot_work> work; // of issued_step::work
  step_samples samples;
};

struct issued_step {
  explicit issued_step(step_plan of) : plan(std::move(of)) {}
  issued_step(const issued_step&) = delete;
  issued_step& operator=(const issued_step&) = delete;

  step_plan plan;
  step_result result;
  std::vector<slot_work> work; // refers to plan and result
  std::list<issued_pass> passes;
  std::unique_ptr<fence> begun;
  std::unique_ptr<fence> done;
  bool finished = false; ///< the slots' states and `result` have what it computed
};

} // namespace troupe
