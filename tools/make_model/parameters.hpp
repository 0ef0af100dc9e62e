// The tensors that an architecture consists of, and from which distribution each is drawn.
#pragma once

#include "model/architecture.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// A tensor of independent numbers from N(mean, deviation^2).
struct parameter {
  std::string name;
  std::vector<std::int64_t> shape; ///< outermost first
  double mean = 0;
  double deviation = 0;

  std::uint64_t elements() const;
};

/// In the order of the forward pass. Linear maps have the deviation 1 / sqrt(inputs), which keeps
/// activations and logits near 1 whatever the sizes; norms are near 1, biases near 0.
std::vector<parameter> parameters_of(const architecture& model);

/// All their elements: what a model's size is called after.
std::uint64_t count_elements(const std::vector<parameter>& parameters);

} // namespace troupe
