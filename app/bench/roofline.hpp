// How fast a model could be served at most on a device of which two speeds are known: the additive
// roofline. A step of continuous batching reads all weights once, or computes for as long as its
// decoding rows need where that is longer; then it reads the sequences' KV caches; then it computes
// its share of the prompts. What a server reaches of it says how well it is built, on any device
// and without another server to compare with.
#pragma once

#include "kernels/yardsticks.hpp"
#include "model/architecture.hpp"

#include <cstdint>

namespace troupe {

/// What a model costs.
struct model_cost {
  double weight_bytes = 0;         ///< read in a step: all weights but an embedding of its own
  double row_operations = 0;       ///< of one row, through all layers
  double head_operations = 0;      ///< of one row whose next token is chosen
  double kv_bytes = 0;             ///< that a row reads for one token of its context
  double attention_operations = 0; ///< that it computes for it
};

/// Two operations for each multiply-add; norms, rotations and activations count nothing.
model_cost cost_of(const architecture& model, dtype weight_type, dtype kv_type);

/// How many of `context` tokens a row's attention reaches, in the mean over the layers: all but
/// where windows end.
double attended(const architecture& model, double context);

/// Sequences that run at once, each with so many tokens of prompt and of answer.
struct workload {
  double sequences = 0;
  double input = 0;
  double output = 0;
};

/// The seconds of one step, in which every sequence gets one token and the prompts that take the
/// places of finished sequences are computed.
struct roofline {
  double weights = 0; ///< reading them, or computing with them for the decoding rows
  double context = 0; ///< reading KV of the mean context, or computing attention over it
  double prompts = 0; ///< computing output-th part of the prompts
  double sequences = 0;

  double seconds() const { return weights + context + prompts; }
  double output_tokens_per_second() const { return sequences / seconds(); }
};

/// `load` has at least one sequence and one token of output.
roofline roofline_of(const architecture& model, const model_cost& cost, const workload& load,
                     const yardsticks& device);

} // namespace troupe
