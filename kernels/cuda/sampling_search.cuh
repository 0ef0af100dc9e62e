// Finds tokens in a row without sorting it: bins the tokens, finds the bin where a count or a mass
// is reached, lists that bin and compares its tokens with each other. A bin that is too full for
// the list is divided again, by the digits of its tokens' order.
//
// Every probability is an integer, a multiple of sum_unit: integers add up to the same in any
// order, so that atomics can add them and the token is the same each time, for any number of
// threads. What is less likely than half that unit beside the likeliest token has no chance.
#pragma once

#include "kernels/cuda/sampling_kernels.hpp"
#include "kernels/cuda/sampling_row.cuh"

namespace troupe::cuda::sampling {

constexpr int digit_bits = 11; // of a bin's number
constexpr int bins = 1 << digit_bits;
constexpr int capacity = 1024; // of the list of tokens that are compared with each other
constexpr int small = 128;     // vocabularies that are listed as a whole
constexpr float bins_per_nat = 64;

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
  amount before; // what stands before the part that is looked at
  amount total;
};

/// What each warp of the block holds in its first lane, for all threads to see.
__device__ inline void share(std::uint64_t of_warp, board& shared) {
  __syncthreads(); // who still reads what was shared before
  if (threadIdx.x % 32 == 0) shared.of_warps[threadIdx.x / 32] = of_warp;
  __syncthreads();
}
__device__ inline std::uint64_t block_sum(std::uint64_t x, board& shared) {
  share(warp_sum(x), shared);
  std::uint64_t sum = 0;
#pragma unroll 1
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) sum += shared.of_warps[warp];
  return sum;
}

/// A row of logits as a distribution, and the order in which its tokens stand: that of the ids, or
/// the falling one.
template <bool ById>
struct distribution {
  const float* logits;
  int vocab;
  float highest;
  float scale;
  float min_p;
  int chunk_bits; // ids of a bin, in their order

  __device__ std::uint64_t order(float logit, int id) const {
    return ById ? static_cast<std::uint64_t>((1 << id_bits) - 1 - id) : order_of(logit, id);
  }
  __device__ int bin(float logit, int id) const {
    if (ById) return id >> chunk_bits;
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
};

constexpr int no_list = -2;

/// Finds tokens by what stands before them. The whole block calls each function.
template <bool ById>
class search {
 public:
  __device__ search(const distribution<ById>& tokens, board& shared)
      : tokens_(tokens), shared_(shared) {
    amount mine{0, 0};
    if (tokens_.vocab <= small) {
      list(scope{});
      for (unsigned i = threadIdx.x; i < shared_.listed; i += blockDim.x)
        mine = {mine.count + 1, mine.mass + shared_.masses[i]};
    } else {
      fill_bins(scope{});
      mine = in_bins(bins);
    }
    const amount total{block_sum(mine.count, shared_), block_sum(mine.mass, shared_)};
    if (threadIdx.x == 0) shared_.total = total;
    __syncthreads();
  }

  /// Of all tokens; there is no count in the order of the ids.
  __device__ amount total() const { return shared_.total; }
  /// The token before which `count` others stand.
  __device__ place at_count(std::uint64_t count) { return find(true, count); }
  /// The token where the mass before it and its own go beyond `mass`.
  __device__ place at_mass(std::uint64_t mass) { return find(false, mass); }

  /// Leaves the tokens down to `last`, at most most_tops, best first.
  __device__ void list_down_to(const place& last, sampling_tops& out);

 private:
  __device__ place find(bool by_count, std::uint64_t target);
  __device__ place find_in_list(bool by_count, std::uint64_t target);
  __device__ bool within(const scope& part, float logit, int id) const {
    return part.bin < 0 || (tokens_.bin(logit, id) == part.bin &&
                            tokens_.order(logit, id) >> part.shift == part.prefix);
  }
  __device__ void fill_bins(const scope& part);
  __device__ void add(int bin, std::uint64_t mass);
  __device__ void add_tile(int first, const float (&x)[4]);
  __device__ void add_tokens(const scope& part, int first, const float (&x)[4], std::uint32_t& far);
  __device__ int reached_in(bool by_count, std::uint64_t target);
  __device__ amount in_bins(int end) const;
  __device__ void list(const scope& part);
  template <class Wanted>
  __device__ void list_range(int begin, int end, const Wanted& wanted);

  const distribution<ById>& tokens_;
  board& shared_;
  bool binned_ = false;  // the bins are those of all tokens
  int listed_ = no_list; // the bin in the list as a whole; -1: all tokens
};

/// 64 bits from two atomics of 32.
template <bool ById>
__device__ void search<ById>::add(int bin, std::uint64_t mass) {
  const auto low = static_cast<std::uint32_t>(mass);
  const std::uint32_t before = atomicAdd(&shared_.low[bin], low);
  const std::uint32_t carry = before + low < low ? 1 : 0;
  const std::uint32_t high = static_cast<std::uint32_t>(mass >> 32) + carry;
  if (high != 0) atomicAdd(&shared_.high[bin], high);
}

/// Adds a warp's tile to the chunk that it lies in.
template <bool ById>
__device__ void search<ById>::add_tile(int first, const float (&x)[4]) {
  std::uint64_t sum = 0;
#pragma unroll
  for (int k = 0; k < 4; ++k) sum += tokens_.holds(x[k]) ? tokens_.mass(x[k]) : 0;
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) add(first >> tokens_.chunk_bits, sum);
}

/// Adds tokens of a part to the bins of the next digit of their order; counts in `far` those of the
/// last bin of all, which are many and without mass: exp(-bins / bins_per_nat) is no half unit.
template <bool ById>
__device__ void search<ById>::add_tokens(const scope& part, int first, const float (&x)[4],
                                         std::uint32_t& far) {
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    if (!tokens_.holds(x[k]) || !within(part, x[k], first + k)) continue;
    int bin = tokens_.bin(x[k], first + k);
    if (part.bin < 0 && bin == bins - 1) {
      ++far;
      continue;
    }
    if (part.bin >= 0) {
      const std::uint64_t digits = tokens_.order(x[k], first + k) >> (part.shift - digit_bits);
      bin = bins - 1 - static_cast<int>(digits & (bins - 1));
    }
    atomicAdd(&shared_.counts[bin], 1U);
    const std::uint64_t mass = tokens_.mass(x[k]);
    if (mass != 0) add(bin, mass);
  }
}

/// Counts and weighs the part's tokens.
template <bool ById>
__device__ void search<ById>::fill_bins(const scope& part) {
  __syncthreads();
  for (unsigned i = threadIdx.x; i < bins; i += blockDim.x)
    shared_.counts[i] = shared_.low[i] = shared_.high[i] = 0;
  __syncthreads();
  std::uint32_t far = 0;
  visit(tokens_.logits, 0, tokens_.vocab, [&](int first, const float(&x)[4]) {
    if constexpr (ById)
      add_tile(first, x);
    else
      add_tokens(part, first, x, far);
  });
  if (far != 0) atomicAdd(&shared_.counts[bins - 1], far);
  __syncthreads();
  binned_ = part.bin < 0;
}

/// This thread's share of what the bins before `end` hold.
template <bool ById>
__device__ amount search<ById>::in_bins(int end) const {
  amount sum{0, 0};
  for (int i = static_cast<int>(threadIdx.x); i < end; i += static_cast<int>(blockDim.x))
    sum = {sum.count + shared_.counts[i],
           sum.mass + (std::uint64_t{shared_.high[i]} << 32 | shared_.low[i])};
  return sum;
}

/// The bin where the sum of the bins goes beyond `target`.
template <bool ById>
__device__ int search<ById>::reached_in(bool by_count, std::uint64_t target) {
  const auto value = [&](int i) {
    return by_count ? shared_.counts[i] : std::uint64_t{shared_.high[i]} << 32 | shared_.low[i];
  };
  const int each = (bins + static_cast<int>(blockDim.x) - 1) / static_cast<int>(blockDim.x);
  const int first = min(bins, static_cast<int>(threadIdx.x) * each), end = min(bins, first + each);
  std::uint64_t mine = 0;
#pragma unroll 1
  for (int i = first; i < end; ++i) mine += value(i);
  const unsigned lane = threadIdx.x % 32;
  std::uint64_t sum = mine; // up to this lane
#pragma unroll
  for (int by = 1; by < 32; by *= 2) {
    const std::uint64_t other = __shfl_up_sync(0xFFFFFFFF, sum, by);
    if (lane >= static_cast<unsigned>(by)) sum += other;
  }
  share(__shfl_sync(0xFFFFFFFF, sum, 31), shared_);
#pragma unroll 1
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

template <bool ById>
template <class Wanted>
__device__ void search<ById>::list_range(int begin, int end, const Wanted& wanted) {
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

template <bool ById>
__device__ void search<ById>::list(const scope& part) {
  if (part.shift == order_bits && listed_ == part.bin) return;
  int begin = 0, end = tokens_.vocab;
  if (ById && part.bin >= 0) {
    begin = part.bin << tokens_.chunk_bits;
    end = min(end, begin + (1 << tokens_.chunk_bits));
  }
  list_range(begin, end, [&](float logit, int id) { return within(part, logit, id); });
  listed_ = part.shift == order_bits ? part.bin : no_list;
}

template <bool ById>
__device__ place search<ById>::find(bool by_count, std::uint64_t target) {
  scope part;
  std::uint32_t count = tokens_.vocab <= small ? 0 : capacity + 1;
  if (threadIdx.x == 0) shared_.before = {0, 0};
  __syncthreads();
  while (count > capacity) {
    if (part.bin >= 0 || !binned_) fill_bins(part);
    const int bin =
        reached_in(by_count, target - (by_count ? shared_.before.count : shared_.before.mass));
    const amount mine = in_bins(bin);
    const amount skipped{block_sum(mine.count, shared_), block_sum(mine.mass, shared_)};
    if (threadIdx.x == 0)
      shared_.before = {shared_.before.count + skipped.count, shared_.before.mass + skipped.mass};
    __syncthreads();
    count = shared_.counts[bin]; // none in the order of the ids: a chunk fits
    if (part.bin < 0) {
      part.bin = bin;
    } else {
      part.shift -= digit_bits;
      part.prefix = part.prefix << digit_bits | static_cast<unsigned>(bins - 1 - bin);
    }
  }
  list(part);
  return find_in_list(by_count, target);
}

template <bool ById>
__device__ place search<ById>::find_in_list(bool by_count, std::uint64_t target) {
  for (unsigned i = threadIdx.x; i < shared_.listed; i += blockDim.x) {
    const place mine{shared_.orders[i], 0, shared_.masses[i]};
    amount sum = shared_.before;
    for (unsigned k = 0; k < shared_.listed; ++k)
      if (shared_.orders[k] > mine.order) sum = {sum.count + 1, sum.mass + shared_.masses[k]};
    const std::uint64_t at = by_count ? sum.count : sum.mass;
    if (at <= target && target - at < (by_count ? 1 : mine.mass))
      shared_.found = {mine.order, sum.mass, mine.mass};
  }
  __syncthreads();
  return shared_.found;
}

template <bool ById>
__device__ void search<ById>::list_down_to(const place& last, sampling_tops& out) {
  listed_ = no_list;
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

} // namespace troupe::cuda::sampling
