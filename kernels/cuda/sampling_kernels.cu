// The kernels that choose tokens: a block takes a row, adjusts a copy of it where it must, and
// searches it.
//
// All of min_p, top_k and top_p keep a beginning of one order of the tokens, the falling one, so
// what they keep is told by its mass alone; and the token is the one that stands in that order
// where the uniform number points. Without top_k and top_p the order is that of the ids, which
// needs no second look at the row.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/sampling_kernels.hpp"
#include "kernels/cuda/sampling_search.cuh"

#include <algorithm>

namespace troupe::cuda {

namespace sampling {

namespace {

constexpr int few_rows = 128;     // that leave processors idle
constexpr int most_blocks = 1024; // that take more than one row each where there are more
constexpr std::uint32_t in_prompt = 1U << 31; // beside a token's count

/// The token that the task's uniform number chooses among all that min_p keeps.
__device__ int choose_from_all(const sampling_task& task, const distribution<true>& tokens,
                               board& shared) {
  search<true> by(tokens, shared);
  return id_of(by.at_mass(__umul64hi(task.uniform, by.total().mass)).order);
}

/// The token that it chooses among the likeliest.
__device__ int choose(const sampling_task& task, const distribution<false>& tokens, board& shared) {
  search<false> by(tokens, shared);
  std::uint64_t kept = by.total().mass;
  if (task.top_k > 0 && static_cast<std::uint64_t>(task.top_k) < by.total().count) {
    const place last = by.at_count(static_cast<std::uint64_t>(task.top_k) - 1);
    kept = last.before + last.mass;
  }
  if (task.top_p < 1) {
    const auto wanted = static_cast<std::uint64_t>(
        ceil(static_cast<double>(task.top_p) * static_cast<double>(kept)));
    const place last = by.at_mass(wanted < 1 ? 0 : (wanted < kept ? wanted : kept) - 1);
    kept = last.before + last.mass;
  }
  return id_of(by.at_mass(__umul64hi(task.uniform, kept)).order);
}

/// Copies the row without what the task forbids; returns the peak of what it copies. `to` is
/// aligned to 16 bytes and may hold up to 3 elements more.
__device__ std::uint64_t copy_row(float* to, const float* from, int vocab, const word_list& allowed,
                                  const std::uint32_t* words, board& shared) {
  best_token best;
  visit(from, 0, vocab, [&](int first, const float(&x)[4]) {
    best.look(first, x);
    const std::uint32_t bits =
        allowed.count == 0 || first >= vocab
            ? 0xF
            : words[allowed.first + static_cast<unsigned>(first) / 32] >> first % 32;
    float y[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) y[k] = (bits >> k & 1) != 0 ? x[k] : minus_infinity();
    if (first < vocab) *reinterpret_cast<float4*>(to + first) = {y[0], y[1], y[2], y[3]};
  });
  return block_max(best.order(), shared.of_warps);
}

/// Penalises each token of the history once: the thread that takes its count does it. Rounded step
/// by step, as on any other device.
__device__ void penalise(float* logits, std::uint32_t* counts, const sampling_task& task,
                         const std::uint32_t* ids) {
  for (unsigned i = threadIdx.x; i < task.history.count; i += blockDim.x)
    if (i < task.prompt_tokens)
      atomicOr(&counts[ids[i]], in_prompt);
    else
      atomicAdd(&counts[ids[i]], 1U);
  __syncthreads();
  for (unsigned i = threadIdx.x; i < task.history.count; i += blockDim.x) {
    const std::uint32_t seen = atomicExch(&counts[ids[i]], 0U);
    if (seen == 0) continue;
    float logit = logits[ids[i]];
    if (task.repetition_penalty != 1.0F)
      logit = logit > 0 ? __fdiv_rn(logit, task.repetition_penalty)
                        : __fmul_rn(logit, task.repetition_penalty);
    const std::uint32_t generated = seen & ~in_prompt;
    if (generated != 0)
      logit = __fadd_rn(logit,
                        -__fadd_rn(__fmul_rn(task.frequency_penalty, static_cast<float>(generated)),
                                   task.presence_penalty));
    logits[ids[i]] = logit;
  }
  __syncthreads();
}

/// Bias, suppressed tokens and penalties, in this order; the mask is in the copy.
__device__ void adjust(float* logits, std::uint32_t* counts, const sampling_task& task,
                       const std::uint32_t* words) {
  const std::uint32_t* const bias = words + task.bias.first;
  __syncthreads();
  for (unsigned i = 2 * threadIdx.x; i < task.bias.count; i += 2 * blockDim.x) {
    if (i > 0 && bias[i - 2] == bias[i]) continue; // the thread of the first has them all
    for (unsigned k = i; k < task.bias.count && bias[k] == bias[i]; k += 2)
      logits[bias[i]] = __fadd_rn(logits[bias[i]], __uint_as_float(bias[k + 1]));
  }
  __syncthreads();
  for (unsigned i = threadIdx.x; i < task.suppressed.count; i += blockDim.x)
    logits[words[task.suppressed.first + i]] = minus_infinity();
  __syncthreads();
  if (task.history.count > 0) penalise(logits, counts, task, words + task.history.first);
}

/// Ids of a bin in the order of the ids: as few as the bins suffice for, whole tiles.
__device__ int chunk_bits_for(int vocab) {
  int bits = 7;
  while (vocab > bins << bits) ++bits;
  return bits;
}

__device__ int choose_by(const sampling_task& task, const float* logits, int vocab,
                         std::uint64_t peak, board& shared) {
  if (task.scale <= 0) return id_of(peak);
  const float highest = logit_of(peak);
  if (task.top_k <= 0 && task.top_p >= 1)
    return choose_from_all(
        task, {logits, vocab, highest, task.scale, task.min_p, chunk_bits_for(vocab)}, shared);
  return choose(task, {logits, vocab, highest, task.scale, task.min_p, 0}, shared);
}

/// The task's token, or -1 where the row is not finite. Thread 0 leaves the raw peak in `head`.
__device__ int sample_one(const sampling_task& task, const sampling_input& input,
                          sampling_head& head, float* copy, std::uint32_t* counts, board& shared) {
  const float* logits = input.logits + std::int64_t{task.logits_row} * input.vocab;
  const bool adjusted =
      task.bias.count + task.suppressed.count + task.history.count + task.allowed.count != 0;
  std::uint64_t peak = adjusted
                           ? copy_row(copy, logits, input.vocab, task.allowed, input.words, shared)
                           : find_peak(logits, 0, input.vocab, shared.of_warps);
  if (threadIdx.x == 0) head = {0, logit_of(peak), 0, 0, 0};
  if (peak == not_finite) return -1;
  if (task.known >= 0) return task.known;
  if (adjusted) {
    adjust(copy, counts, task, input.words);
    logits = copy;
    peak = find_peak(logits, 0, input.vocab, shared.of_warps);
  }
  if (peak == not_finite || logit_of(peak) <= minus_infinity()) return -1;
  return choose_by(task, logits, input.vocab, peak, shared);
}

__global__ void __launch_bounds__(most_threads)
    any_kernel(sampling_input input, sampling_output output, sampling_scratch_space scratch) {
  __shared__ board shared;
  ptx::wait_for_previous();
  ptx::allow_next();
  for (int i = static_cast<int>(blockIdx.x); i < input.count; i += static_cast<int>(gridDim.x)) {
    const sampling_task& task = input.tasks[i];
    sampling_head& head = output.heads[task.result];
    const std::int64_t slot = std::int64_t{blockIdx.x} * scratch.stride;
    const int id =
        sample_one(task, input, head, scratch.logits + slot, scratch.counts + slot, shared);
    if (threadIdx.x != 0) continue;
    head.id = max(id, 0);
    head.finite = id >= 0 ? 1 : 0;
    if (task.keep >= 0) output.chosen[task.keep] = head.id;
  }
}

/// The peak over all blocks of the row in the last of them, in the others `none`. Thread 0 only.
__device__ std::uint64_t peak_of_blocks(std::uint64_t peak, sampling_meeting& meeting,
                                        std::uint64_t none) {
  atomicMax(&meeting.peak, static_cast<unsigned long long>(peak));
  __threadfence();
  if (atomicAdd(&meeting.blocks, 1U) + 1 != gridDim.y) return none;
  __threadfence();
  meeting.blocks = 0;
  return atomicExch(&meeting.peak, 0ULL);
}

// Where there are few rows, several blocks share one: each looks at a part of it.
__global__ void __launch_bounds__(most_threads)
    greedy_kernel(sampling_input input, sampling_output output, sampling_meeting* meetings) {
  __shared__ std::uint64_t of_warps[most_warps];
  constexpr std::uint64_t none = 0; // the order of no token
  ptx::wait_for_previous();
  ptx::allow_next();
  const int tiles = (input.vocab + tile - 1) / tile, parts = static_cast<int>(gridDim.y);
  const int begin = static_cast<int>(blockIdx.y) * tiles / parts * tile;
  const int end = min(input.vocab, (static_cast<int>(blockIdx.y) + 1) * tiles / parts * tile);
  for (int i = static_cast<int>(blockIdx.x); i < input.count; i += static_cast<int>(gridDim.x)) {
    const sampling_task& task = input.tasks[i];
    const float* const row = input.logits + std::int64_t{task.logits_row} * input.vocab;
    std::uint64_t peak = find_peak(row, begin, end, of_warps);
    if (threadIdx.x != 0) continue;
    if (parts > 1) peak = peak_of_blocks(peak, meetings[i], none);
    if (peak == none) continue;
    const bool finite = peak != not_finite && logit_of(peak) > minus_infinity();
    const int id = finite ? id_of(peak) : 0;
    output.heads[task.result] = {0, logit_of(peak), 0, id, finite ? 1U : 0U};
    if (task.keep >= 0) output.chosen[task.keep] = id;
  }
}

/// The sum of a row's exponentials, and its highest logits.
__device__ std::uint64_t sum_and_tops(const sampling_task& task, const distribution<false>& raw,
                                      sampling_tops* tops, board& shared) {
  if (task.report > 0) {
    search<false> by(raw, shared);
    const auto wanted = static_cast<std::uint64_t>(task.report);
    const std::uint64_t count = by.total().count < wanted ? by.total().count : wanted;
    if (count > 0)
      by.list_down_to(by.at_count(count - 1), tops[task.tops]);
    else if (threadIdx.x == 0)
      tops[task.tops].count = 0;
    return by.total().mass;
  }
  std::uint64_t sum = 0;
  visit(raw.logits, 0, raw.vocab, [&](int, const float(&x)[4]) {
#pragma unroll
    for (int k = 0; k < 4; ++k) sum += raw.holds(x[k]) ? raw.mass(x[k]) : 0;
  });
  return block_sum(sum, shared);
}

__global__ void __launch_bounds__(most_threads)
    report_kernel(sampling_input input, sampling_output output) {
  __shared__ board shared;
  ptx::wait_for_previous();
  ptx::allow_next();
  for (int i = static_cast<int>(blockIdx.x); i < input.count; i += static_cast<int>(gridDim.x)) {
    const sampling_task& task = input.tasks[i];
    sampling_head& head = output.heads[task.result];
    if (task.report < 0 || head.finite == 0) continue;
    const float* const raw = input.logits + std::int64_t{task.logits_row} * input.vocab;
    const std::uint64_t sum =
        sum_and_tops(task, {raw, input.vocab, head.highest, 1, 0, 0}, output.tops, shared);
    if (threadIdx.x != 0) continue;
    head.sum = sum;
    head.logit = raw[head.id];
  }
}

/// Threads for a row: whole warps, 32 elements or more for each thread. Two blocks share a
/// processor where there are rows for it. The results are the same for any number.
unsigned threads_for(const sampling_input& input) {
  const int most = input.count <= few_rows ? most_threads : most_threads / 2;
  return 32 * std::min<unsigned>(pieces(input.vocab, 32 * 32), most / 32);
}

} // namespace

} // namespace sampling

void sample_greedy(cudaStream_t stream, const sampling_input& input, const sampling_output& output,
                   sampling_meeting* meetings) {
  constexpr unsigned wanted_blocks = 256, most_parts = 32;
  constexpr std::int32_t smallest_part = 2048;
  const auto count = static_cast<unsigned>(input.count);
  const bool few = input.count <= sampling_meetings;
  const unsigned parts =
      few ? std::clamp(std::min(wanted_blocks / count, pieces(input.vocab, smallest_part)), 1U,
                       most_parts)
          : 1;
  const unsigned threads = parts > 1 ? 256 : sampling::threads_for(input);
  const unsigned rows = few ? count : std::min<unsigned>(count, sampling::most_blocks);
  launch(stream, {dim3(rows, parts), threads}, sampling::greedy_kernel, input, output, meetings);
}

void sample_any(cudaStream_t stream, const sampling_input& input, const sampling_output& output,
                const sampling_scratch_space& scratch) {
  const int limit = scratch.slots > 0 ? scratch.slots : sampling::most_blocks;
  const auto blocks = static_cast<unsigned>(std::min(input.count, limit));
  launch(stream, {blocks, sampling::threads_for(input)}, sampling::any_kernel, input, output,
         scratch);
}

void sample_report(cudaStream_t stream, const sampling_input& input,
                   const sampling_output& output) {
  const auto blocks = static_cast<unsigned>(std::min(input.count, sampling::most_blocks));
  launch(stream, {blocks, sampling::threads_for(input)}, sampling::report_kernel, input, output);
}

} // namespace troupe::cuda
