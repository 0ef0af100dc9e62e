// What the kernels that choose tokens are given and what they leave, as plain data. The host packs
// it (sampling.cpp) and makes logarithms of it; the kernels need neither Philox nor a logarithm.
#pragma once

#include "config/sampling.hpp"

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>

namespace troupe::cuda {

/// Alternatives that a row can report.
constexpr int most_tops = 20;
/// Tokens of the largest vocabulary.
constexpr std::int64_t most_vocab = std::int64_t{1} << 21;

/// A list of 32-bit words in sampling_input::words.
struct word_list {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// One row to sample.
struct sampling_task {
  std::uint64_t uniform = 0; ///< the uniform number times 2^64
  std::int32_t logits_row = 0;
  std::uint32_t result = 0; ///< which of sampling_output::heads is its own
  float scale = 0;          ///< 1 / temperature; 0 is greedy
  float top_p = 1;
  float min_p = 0;
  std::int32_t top_k = 0;
  float repetition_penalty = 1;
  float frequency_penalty = 0;
  float presence_penalty = 0;
  std::uint32_t prompt_tokens = 0;
  word_list bias;         ///< pairs of an id and a float's bits, equal ids adjacent
  word_list suppressed;   ///< ids
  word_list history;      ///< ids, empty without penalties; the first prompt_tokens are the prompt
  word_list allowed;      ///< a bit for each id, the lowest first; empty allows all
  token_id known = -1;    ///< not chosen but given; -1: to be chosen
  std::int32_t keep = -1; ///< where in sampling_output::chosen the token is left too
  std::int32_t report = -1; ///< as sampling_params::logprobs
  std::uint32_t tops = 0;   ///< which of sampling_output::tops is its own, with report > 0
};

struct sampling_input {
  const float* logits = nullptr; // [., vocab]
  std::int32_t vocab = 0;        ///< at most most_vocab
  const sampling_task* tasks = nullptr;
  std::int32_t count = 0;
  const std::uint32_t* words = nullptr;
};

/// What a row's logprobs are made of. The sum of the exponentials is in units of sum_unit.
struct sampling_head {
  std::uint64_t sum = 0; ///< of exp(logit - highest) over the raw logits; only with report >= 0
  float highest = 0;     ///< of the raw logits
  float logit = 0;       ///< the token's raw one; only with report >= 0
  token_id id = 0;
  std::uint32_t finite = 0;
};
constexpr double sum_unit = 0x1p-42;

/// The highest raw logits, best first.
struct sampling_tops {
  std::int32_t count = 0;
  token_id ids[most_tops] = {};
  float logits[most_tops] = {};
};

struct sampling_output {
  sampling_head* heads = nullptr;
  sampling_tops* tops = nullptr;
  token_id* chosen = nullptr;
};

/// Rows of logits that may be changed: a slot for each block that runs at once.
struct sampling_scratch_space {
  float* logits = nullptr;         // [slots, stride]
  std::uint32_t* counts = nullptr; // [slots, stride], zero between launches
  std::int32_t slots = 0;
  std::int32_t stride = 0; ///< at least vocab, a multiple of 4
};

/// Where the blocks of one row bring together what they found. Zero between launches.
struct sampling_meeting {
  unsigned long long peak = 0;
  unsigned blocks = 0;
};
constexpr std::int32_t sampling_meetings = 128; ///< rows that blocks share, at most

/// Tasks that want the highest logit's id and nothing else. meetings: [sampling_meetings].
void sample_greedy(cudaStream_t stream, const sampling_input& input, const sampling_output& output,
                   sampling_meeting* meetings);
/// Chooses the tokens of any tasks; those with bias, suppressed, history or allowed need
/// scratch.slots > 0.
void sample_any(cudaStream_t stream, const sampling_input& input, const sampling_output& output,
                const sampling_scratch_space& scratch);
/// Adds what logprobs need to the heads of tasks that report, once their tokens are chosen.
void sample_report(cudaStream_t stream, const sampling_input& input, const sampling_output& output);

} // namespace troupe::cuda
