// Sampling on the device: the logits stay where they are, and what comes back is a few words a row.
// The choice is that of kernels/sampling.hpp, token for token but where rounding decides.
#pragma once

#include "kernels/cuda/runtime.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace troupe::cuda {

struct sampling_calls;

/// Chooses tokens as backend::sample does. All calls are issued on one stream, by one thread;
/// several may be under way.
class device_sampler {
 public:
  /// Rows with bias, suppressed tokens, mask or penalties are copied before they are changed, and
  /// the tokens seen are counted: as many at once as fit `scratch_bytes` of device memory, 8 bytes
  /// a token of the vocabulary; at least one. It is allocated by reserve(), or when it is needed
  /// first.
  explicit device_sampler(std::size_t scratch_bytes = std::size_t{128} << 20);
  ~device_sampler();
  device_sampler(const device_sampler&) = delete;
  device_sampler& operator=(const device_sampler&) = delete;

  /// Allocates what two calls under way need for so many rows each; lists of tokens aside, whose
  /// lengths the rows say.
  void reserve(cudaStream_t stream, std::int64_t vocab, std::size_t rows);

  /// logits: [., vocab] f32 in device memory, at most 2^21 columns; they are not changed. A mask's
  /// element is taken as 0 or -inf. Throws std::out_of_range for a token id outside the
  /// vocabulary, before anything is issued.
  std::unique_ptr<pending_samples> sample(cudaStream_t stream, const matrix& logits,
                                          std::span<const sample_row> rows, token_id* chosen);

 private:
  void make_meetings(cudaStream_t stream);
  /// Makes room to change up to `rows` rows at once.
  void make_scratch(cudaStream_t stream, std::int64_t vocab, std::size_t rows);

  std::size_t scratch_bytes_;
  memory meetings_; // of the blocks that share a row
  memory copies_, counts_;
  std::size_t copied_elements_ = 0; // of each
  std::shared_ptr<sampling_calls> calls_;
};

} // namespace troupe::cuda
