// Chooses tokens without sorting: a block takes a row, bins the tokens, finds the bin where a count
// or a mass is reached and looks closely at that bin alone.
//
// Every probability is an integer, a multiple of sum_unit: integers add up to the same in any
// order, so that shared atomics can add them and the token is the same each time. What is less
// likely than half that unit beside the likeliest token has no chance.
//
// All of min_p, top_k and top_p keep a beginning of one order of the tokens, the falling one (lower
// ids first among equals), so what they keep is told by its mass alone; and the token is the one
// that stands in that order where the uniform number points. Without top_k and top_p the order is
// that of the ids, which needs no second look at the row.
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/sampling_kernels.hpp"

#include <algorithm>

namespace troupe::cuda {

namespace {

constexpr int most_threads = 512;
constexpr int most_warps = most_threads / 32;
constexpr int most_blocks = 1024;
constexpr int tile = 128;      // what a warp looks at in one step
constexpr int digit_bits = 11; // of a bin's number
constexpr int bins = 1 << digit_bits;
constexpr int capacity = 1024; // of the list of tokens that are compared with each other
constexpr int small = 128;     // vocabularies that are listed as a whole
constexpr int id_bits = 23;    // in a token's place in the order
constexpr int order_bits = 32 + id_bits;
constexpr float bins_per_nat = 64;
constexpr std::uint32_t in_prompt = 1U << 31; // beside a token's count
constexpr std::uint64_t not_finite = ~std::uint64_t{0};

static_assert(order_bits % digit_bits == 0);
static_assert(most_vocab <= std::int64_t{bins} * capacity);

struct amount {
  std::uint64_t count;
  std::uint64_t mass;
};

/// A token, and the mass of all that stand before it.
struct place {
  std::uint64_t order;
  std::uint64_t before;
  std::uint64_t mass;
};

/// The block's shared memory.
struct board {
  std::uint32_t counts[bins];
  std::uint32_t low[bins], high[bins]; // the words of the bins' masses
  std::uint64_t orders[capacity], masses[capacity];
  std::uint64_t of_warps[most_warps];
  std::uint32_t listed;
  int bin;
  place found;
};

__device__ float minus_infinity() { return __uint_as_float(0xFF800000); }

/// Bits that rise with the number; the zeros are equal.
__device__ std::uint32_t rising_bits(float x) {
  const std::uint32_t bits = __float_as_uint(x + 0.0F);
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000;
}
__device__ float number_of(std::uint32_t rising) {
  return __uint_as_float(rising >> 31 != 0 ? rising & 0x7FFFFFFF : ~rising);
}

/// Falls from the best token to the worst.
__device__ std::uint64_t order_of(float logit, int id) {
  return std::uint64_t{rising_bits(logit)} << id_bits |
         static_cast<std::uint32_t>((1 << id_bits) - 1 - id);
}
__device__ int id_of(std::uint64_t order) {
  return (1 << id_bits) - 1 - static_cast<int>(order & ((1U << id_bits) - 1));
}
__device__ float logit_of(std::uint64_t order) {
  return number_of(static_cast<std::uint32_t>(order >> id_bits));
}

__device__ std::uint64_t warp_sum(std::uint64_t x) {
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) x += __shfl_xor_sync(0xFFFFFFFF, x, bits);
  return x;
}

/// What each warp of the block holds in its first lane, for all threads to see.
__device__ void share(std::uint64_t of_warp, board& shared) {
  __syncthreads(); // who still reads what was shared before
  if (threadIdx.x % 32 == 0) shared.of_warps[threadIdx.x / 32] = of_warp;
  __syncthreads();
}
__device__ std::uint64_t block_sum(std::uint64_t x, board& shared) {
  share(warp_sum(x), shared);
  std::uint64_t sum = 0;
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) sum += shared.of_warps[warp];
  return sum;
}
__device__ std::uint64_t block_max(std::uint64_t x, std::uint64_t (&of_warps)[most_warps]) {
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) {
    const std::uint64_t other = __shfl_xor_sync(0xFFFFFFFF, x, bits);
    x = other > x ? other : x;
  }
  __syncthreads();
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = x;
  __syncthreads();
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp)
    x = of_warps[warp] > x ? of_warps[warp] : x;
  return x;
}

/// Calls work(id, x) for each four adjacent elements in [begin, end), where begin is a multiple of
/// 4; what is behind the end is -inf. All lanes of a warp come together, at adjacent places, and
/// each thread's ids rise.
template <class Work>
__device__ void visit(const float* row, int begin, int end, const Work& work) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(row) % 16 == 0;
  const int step = static_cast<int>(blockDim.x) / 32 * tile;
  for (int at = begin + static_cast<int>(threadIdx.x) / 32 * tile; at < end; at += step) {
    const int first = at + static_cast<int>(threadIdx.x) % 32 * 4;
    float x[4];
    if (aligned && first + 4 <= end) {
      const float4 four = *reinterpret_cast<const float4*>(row + first);
      x[0] = four.x, x[1] = four.y, x[2] = four.z, x[3] = four.w;
    } else {
#pragma unroll
      for (int k = 0; k < 4; ++k) x[k] = first + k < end ? row[first + k] : minus_infinity();
    }
    work(first, x);
  }
}

/// Collects a thread's best token, and whether anything is NaN or +inf.
struct best_token {
  float highest = -1;
  int id = -1;
  bool finite = true;

  __device__ void look(int first, const float (&x)[4]) {
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      finite = finite && x[k] < __uint_as_float(0x7F800000);
      if (id >= 0 && !(x[k] > highest)) continue;
      highest = x[k];
      id = first + k;
    }
  }
  __device__ std::uint64_t order() const {
    return !finite ? not_finite : id < 0 ? 0 : order_of(highest, id);
  }
};

/// Order of the best token, or not_finite.
__device__ std::uint64_t find_peak(const float* row, int vocab,
                                   std::uint64_t (&of_warps)[most_warps]) {
  best_token best;
  visit(row, 0, vocab, [&](int first, const float(&x)[4]) { best.look(first, x); });
  return block_max(best.order(), of_warps);
}

/// A row of logits as a distribution, and the order in which its tokens stand.
struct distribution {
  const float* logits;
  int vocab;
  float highest;
  float scale;
  float min_p;
  bool by_id;     // the order is that of the ids
  int chunk_bits; // ids of a bin, where it is

  __device__ std::uint64_t order(float logit, int id) const {
    return by_id ? static_cast<std::uint64_t>((1 << id_bits) - 1 - id) : order_of(logit, id);
  }
  __device__ int bin(float logit, int id) const {
    if (by_id) return id >> chunk_bits;
    return static_cast<int>(fminf((highest - logit) * scale * bins_per_nat, bins - 1.0F));
  }
  __device__ bool holds(float logit) const {
    return logit > minus_infinity() && (min_p <= 0 || weight(logit) >= min_p);
  }
  __device__ float weight(float logit) const { return expf((logit - highest) * scale); }
  __device__ std::uint64_t mass(float logit) const {
    return __float2ull_rn(weight(logit) * static_cast<float>(1 / sum_unit));
  }
};

/// A part of the order: all tokens, or those of a bin whose order begins with a prefix.
struct scope {
  int bin = -1; // -1: all
  int shift = order_bits;
  std::uint64_t prefix = 0;

  __device__ bool operator==(const scope& other) const {
    return bin == other.bin && shift == other.shift && prefix == other.prefix;
  }
};

/// Finds tokens by what stands before them. The whole block calls each function.
class search {
 public:
  __device__ search(const distribution& tokens, board& shared) : tokens_(tokens), shared_(shared) {
    amount mine{0, 0};
    if (tokens_.vocab <= small) {
      list(scope{});
      for (unsigned i = threadIdx.x; i < shared_.listed; i += blockDim.x)
        mine = {mine.count + 1, mine.mass + shared_.masses[i]};
    } else {
      fill_bins(scope{});
      mine = in_bins(bins);
    }
    total_ = {block_sum(mine.count, shared_), block_sum(mine.mass, shared_)};
  }

  /// Of all tokens; there is no count in the order of the ids.
  __device__ amount total() const { return total_; }
  /// The token before which `count` others stand.
  __device__ place at_count(std::uint64_t count) { return find(true, count); }
  /// The token where the mass before it and its own go beyond `mass`.
  __device__ place at_mass(std::uint64_t mass) { return find(false, mass); }

  /// Leaves the tokens down to `last`, at most most_tops, best first.
  __device__ void list_down_to(const place& last, sampling_tops& out);

 private:
  __device__ place find(bool by_count, std::uint64_t target);
  __device__ place find_in_list(bool by_count, std::uint64_t target, amount before);
  __device__ bool within(const scope& part, float logit, int id) const {
    return part.bin < 0 || (tokens_.bin(logit, id) == part.bin &&
                            tokens_.order(logit, id) >> part.shift == part.prefix);
  }
  __device__ void fill_bins(const scope& part);
  __device__ void add(int bin, std::uint64_t mass);
  __device__ int reached_in(bool by_count, std::uint64_t target);
  __device__ amount in_bins(int end) const;
  __device__ void list(const scope& part);
  template <class Wanted>
  __device__ void list_range(int begin, int end, const Wanted& wanted);

  const distribution& tokens_;
  board& shared_;
  amount total_{0, 0};
  bool binned_ = false; // the bins are those of all tokens
  bool has_list_ = false;
  scope listed_;
};

/// 64 bits from two atomics of 32.
__device__ void search::add(int bin, std::uint64_t mass) {
  const auto low = static_cast<std::uint32_t>(mass);
  const std::uint32_t before = atomicAdd(&shared_.low[bin], low);
  const std::uint32_t carry = before + low < low ? 1 : 0;
  const std::uint32_t high = static_cast<std::uint32_t>(mass >> 32) + carry;
  if (high != 0) atomicAdd(&shared_.high[bin], high);
}

/// Counts and weighs the part's tokens by the next digit of their order.
__device__ void search::fill_bins(const scope& part) {
  __syncthreads();
  for (unsigned i = threadIdx.x; i < bins; i += blockDim.x)
    shared_.counts[i] = shared_.low[i] = shared_.high[i] = 0;
  __syncthreads();
  std::uint32_t far = 0; // in the last bin, where most tokens are
  visit(tokens_.logits, 0, tokens_.vocab, [&](int first, const float(&x)[4]) {
    if (tokens_.by_id) {
      std::uint64_t sum = 0;
#pragma unroll
      for (int k = 0; k < 4; ++k) sum += tokens_.holds(x[k]) ? tokens_.mass(x[k]) : 0;
      sum = warp_sum(sum);
      if (threadIdx.x % 32 == 0) add(first >> tokens_.chunk_bits, sum);
      return;
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (!tokens_.holds(x[k]) || !within(part, x[k], first + k)) continue;
      const int bin =
          part.bin < 0
              ? tokens_.bin(x[k], first + k)
              : bins - 1 -
                    static_cast<int>(tokens_.order(x[k], first + k) >> (part.shift - digit_bits) &
                                     (bins - 1));
      if (part.bin < 0 && bin == bins - 1) {
        ++far; // without mass: exp(-bins / bins_per_nat) is less than half a unit
        continue;
      }
      atomicAdd(&shared_.counts[bin], 1U);
      const std::uint64_t mass = tokens_.mass(x[k]);
      if (mass != 0) add(bin, mass);
    }
  });
  if (far != 0) atomicAdd(&shared_.counts[bins - 1], far);
  __syncthreads();
  binned_ = part.bin < 0;
}

/// This thread's share of what the bins before `end` hold.
__device__ amount search::in_bins(int end) const {
  amount sum{0, 0};
  for (int i = static_cast<int>(threadIdx.x); i < end; i += static_cast<int>(blockDim.x))
    sum = {sum.count + shared_.counts[i],
           sum.mass + (std::uint64_t{shared_.high[i]} << 32 | shared_.low[i])};
  return sum;
}

/// The bin where the sum of the bins goes beyond `target`.
__device__ int search::reached_in(bool by_count, std::uint64_t target) {
  const auto value = [&](int i) {
    return by_count ? shared_.counts[i] : std::uint64_t{shared_.high[i]} << 32 | shared_.low[i];
  };
  const int each = (bins + static_cast<int>(blockDim.x) - 1) / static_cast<int>(blockDim.x);
  const int first = min(bins, static_cast<int>(threadIdx.x) * each), end = min(bins, first + each);
  std::uint64_t mine = 0;
  for (int i = first; i < end; ++i) mine += value(i);
  const unsigned lane = threadIdx.x % 32;
  std::uint64_t sum = mine; // up to this lane
#pragma unroll
  for (int by = 1; by < 32; by *= 2) {
    const std::uint64_t other = __shfl_up_sync(0xFFFFFFFF, sum, by);
    if (lane >= static_cast<unsigned>(by)) sum += other;
  }
  share(__shfl_sync(0xFFFFFFFF, sum, 31), shared_);
  for (unsigned warp = 0; warp < threadIdx.x / 32; ++warp) sum += shared_.of_warps[warp];
  if (sum > target && sum - mine <= target) {
    std::uint64_t before = sum - mine;
    int i = first;
    for (; before + value(i) <= target; ++i) before += value(i);
    shared_.bin = i;
  }
  __syncthreads();
  return shared_.bin;
}

template <class Wanted>
__device__ void search::list_range(int begin, int end, const Wanted& wanted) {
  __syncthreads();
  if (threadIdx.x == 0) shared_.listed = 0;
  __syncthreads();
  visit(tokens_.logits, begin, end, [&](int first, const float(&x)[4]) {
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (!wanted(x[k], first + k) || !tokens_.holds(x[k])) continue;
      const std::uint32_t at = atomicAdd(&shared_.listed, 1U);
      shared_.orders[at] = tokens_.order(x[k], first + k);
      shared_.masses[at] = tokens_.mass(x[k]);
    }
  });
  __syncthreads();
}

__device__ void search::list(const scope& part) {
  if (has_list_ && listed_ == part) return;
  int begin = 0, end = tokens_.vocab;
  if (tokens_.by_id && part.bin >= 0) {
    begin = part.bin << tokens_.chunk_bits;
    end = min(end, begin + (1 << tokens_.chunk_bits));
  }
  list_range(begin, end, [&](float logit, int id) { return within(part, logit, id); });
  listed_ = part;
  has_list_ = true;
}

__device__ place search::find(bool by_count, std::uint64_t target) {
  scope part;
  amount before{0, 0};
  std::uint32_t count = tokens_.vocab <= small ? 0 : capacity + 1;
  while (count > capacity) {
    if (part.bin >= 0 || !binned_) fill_bins(part);
    const int bin = reached_in(by_count, target - (by_count ? before.count : before.mass));
    const amount skipped = in_bins(bin);
    before.count += block_sum(skipped.count, shared_);
    before.mass += block_sum(skipped.mass, shared_);
    count = shared_.counts[bin]; // none in the order of the ids: a chunk fits
    if (part.bin < 0) {
      part.bin = bin;
    } else {
      part.shift -= digit_bits;
      part.prefix = part.prefix << digit_bits | static_cast<unsigned>(bins - 1 - bin);
    }
  }
  list(part);
  return find_in_list(by_count, target, before);
}

__device__ place search::find_in_list(bool by_count, std::uint64_t target, amount before) {
  __syncthreads(); // who still reads what was found before
  for (unsigned i = threadIdx.x; i < shared_.listed; i += blockDim.x) {
    const place mine{shared_.orders[i], 0, shared_.masses[i]};
    amount sum = before;
    for (unsigned k = 0; k < shared_.listed; ++k)
      if (shared_.orders[k] > mine.order) sum = {sum.count + 1, sum.mass + shared_.masses[k]};
    const std::uint64_t at = by_count ? sum.count : sum.mass;
    if (at <= target && target - at < (by_count ? 1 : mine.mass))
      shared_.found = {mine.order, sum.mass, mine.mass};
  }
  __syncthreads();
  return shared_.found;
}

__device__ void search::list_down_to(const place& last, sampling_tops& out) {
  has_list_ = false;
  list_range(0, tokens_.vocab,
             [&](float logit, int id) { return tokens_.order(logit, id) >= last.order; });
  for (unsigned i = threadIdx.x; i < shared_.listed; i += blockDim.x) {
    const std::uint64_t order = shared_.orders[i];
    int rank = 0;
    for (unsigned k = 0; k < shared_.listed; ++k) rank += shared_.orders[k] > order ? 1 : 0;
    out.ids[rank] = id_of(order);
    out.logits[rank] = logit_of(order);
  }
  if (threadIdx.x == 0) out.count = static_cast<std::int32_t>(shared_.listed);
}

/// The token that the task's uniform number chooses.
__device__ int choose(const sampling_task& task, const distribution& tokens, board& shared) {
  search by(tokens, shared);
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

/// Copies the row without what the task forbids; returns the peak of what it copies.
__device__ std::uint64_t copy_row(float* to, const float* from, int vocab, const word_list& allowed,
                                  const std::uint32_t* words, board& shared) {
  best_token best;
  visit(from, 0, vocab, [&](int first, const float(&x)[4]) {
    best.look(first, x);
    const std::uint32_t bits =
        allowed.count == 0 || first >= vocab
            ? 0xF
            : words[allowed.first + static_cast<unsigned>(first) / 32] >> first % 32;
#pragma unroll
    for (int k = 0; k < 4; ++k)
      if (first + k < vocab) to[first + k] = (bits >> k & 1) != 0 ? x[k] : minus_infinity();
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

/// What logprobs need, from the raw logits.
__device__ void report(const sampling_task& task, const distribution& raw, sampling_head& head,
                       sampling_tops* tops, board& shared) {
  std::uint64_t sum = 0;
  if (task.report > 0) {
    search by(raw, shared);
    sum = by.total().mass;
    const auto wanted = static_cast<std::uint64_t>(task.report);
    const std::uint64_t count = by.total().count < wanted ? by.total().count : wanted;
    if (count > 0)
      by.list_down_to(by.at_count(count - 1), tops[task.tops]);
    else if (threadIdx.x == 0)
      tops[task.tops].count = 0;
  } else {
    visit(raw.logits, 0, raw.vocab, [&](int, const float(&x)[4]) {
#pragma unroll
      for (int k = 0; k < 4; ++k) sum += raw.holds(x[k]) ? raw.mass(x[k]) : 0;
    });
    sum = block_sum(sum, shared);
  }
  if (threadIdx.x != 0) return;
  head.sum = sum;
  head.logit = raw.logits[head.id];
}

__device__ void sample_row_of(const sampling_task& task, const sampling_input& input,
                              const sampling_output& output, float* copy, std::uint32_t* counts,
                              board& shared) {
  const float* const raw = input.logits + std::int64_t{task.logits_row} * input.vocab;
  const bool adjusted =
      task.bias.count + task.suppressed.count + task.history.count + task.allowed.count != 0;
  const std::uint64_t raw_peak =
      adjusted ? copy_row(copy, raw, input.vocab, task.allowed, input.words, shared)
               : find_peak(raw, input.vocab, shared.of_warps);
  bool finite = raw_peak != not_finite;
  int id = 0;
  if (finite && task.known >= 0) id = task.known;
  if (finite && task.known < 0) {
    if (adjusted) adjust(copy, counts, task, input.words);
    const std::uint64_t peak = adjusted ? find_peak(copy, input.vocab, shared.of_warps) : raw_peak;
    const float highest = logit_of(peak);
    finite = peak != not_finite && highest > minus_infinity();
    const bool by_id = task.top_k <= 0 && task.top_p >= 1;
    int chunk_bits = 7;
    while (input.vocab > bins << chunk_bits) ++chunk_bits;
    if (finite)
      id = task.scale <= 0 ? id_of(peak)
                           : choose(task,
                                    {adjusted ? copy : raw, input.vocab, highest, task.scale,
                                     task.min_p, by_id, chunk_bits},
                                    shared);
  }
  sampling_head& head = output.heads[task.result];
  if (threadIdx.x == 0) {
    head = {0, logit_of(raw_peak), 0, id, finite ? 1U : 0U};
    if (task.keep >= 0) output.chosen[task.keep] = id;
  }
  if (finite && task.report >= 0)
    report(task, {raw, input.vocab, logit_of(raw_peak), 1, 0, false, 0}, head, output.tops, shared);
}

__global__ void __launch_bounds__(most_threads)
    any_kernel(sampling_input input, sampling_output output, sampling_scratch_space scratch) {
  __shared__ board shared;
  ptx::wait_for_previous();
  ptx::allow_next();
  const std::int64_t slot = std::int64_t{blockIdx.x} * scratch.stride;
  for (int i = static_cast<int>(blockIdx.x); i < input.count; i += static_cast<int>(gridDim.x))
    sample_row_of(input.tasks[i], input, output, scratch.logits + slot, scratch.counts + slot,
                  shared);
}

__global__ void __launch_bounds__(most_threads)
    greedy_kernel(sampling_input input, sampling_output output) {
  __shared__ std::uint64_t of_warps[most_warps];
  ptx::wait_for_previous();
  ptx::allow_next();
  for (int i = static_cast<int>(blockIdx.x); i < input.count; i += static_cast<int>(gridDim.x)) {
    const sampling_task& task = input.tasks[i];
    const std::uint64_t peak = find_peak(input.logits + std::int64_t{task.logits_row} * input.vocab,
                                         input.vocab, of_warps);
    if (threadIdx.x != 0) continue;
    const bool finite = peak != not_finite && logit_of(peak) > minus_infinity();
    const int id = finite ? id_of(peak) : 0;
    output.heads[task.result] = {0, logit_of(peak), 0, id, finite ? 1U : 0U};
    if (task.keep >= 0) output.chosen[task.keep] = id;
  }
}

/// Threads for a row: whole warps, 32 elements or more for each thread.
unsigned threads_for(std::int32_t vocab) {
  const unsigned warps = pieces(vocab, 32 * 32);
  return 32 * std::min<unsigned>(warps, most_warps);
}

} // namespace

void sample_greedy(cudaStream_t stream, const sampling_input& input,
                   const sampling_output& output) {
  const auto blocks = static_cast<unsigned>(std::min(input.count, most_blocks));
  launch(stream, {blocks, threads_for(input.vocab)}, greedy_kernel, input, output);
}

void sample_any(cudaStream_t stream, const sampling_input& input, const sampling_output& output,
                const sampling_scratch_space& scratch) {
  const int limit = scratch.slots > 0 ? scratch.slots : most_blocks;
  const auto blocks = static_cast<unsigned>(std::min(input.count, limit));
  launch(stream, {blocks, threads_for(input.vocab)}, any_kernel, input, output, scratch);
}

} // namespace troupe::cuda
