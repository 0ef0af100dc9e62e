// The arithmetic of prefill attention: what one of the two computing warpgroups does with a tile of
// 64 queries. Scores and sums stay in registers, and so do the weights on their way from one
// product to the other (Shah et al., FlashAttention-3, 2407.08608). The scores of the next tile are
// issued before the present one's values are added, and the two warpgroups take turns at issuing,
// so that exponentials of one run beside products of the other.
#pragma once

#include "kernels/cuda/numbers.cuh"
#include "kernels/cuda/prefill_shared.cuh"

namespace troupe::cuda {

template <class T, int Dim>
class prefill_warpgroup {
 public:
  using shared_memory = prefill_memory<Dim>;

  /// `index`: 0 or 1.
  __device__ prefill_warpgroup(const prefill_inputs& in, shared_memory& shared, int index)
      : in_(in), shared_(shared), index_(index), lane_(static_cast<int>(threadIdx.x % 32)),
        row_(index * warpgroup_queries +
             static_cast<int>(threadIdx.x % warpgroup_threads) / 32 * 16 + lane_ / 4) {
    if (index == 1) ptx::arrive_some(turn_of(0), both); // warpgroup 0 begins
  }

  __device__ void run() {
    ptx::wait(&shared_.queries_full[index_], queries_parity_);
    queries_parity_ ^= 1;
    const prefill_item item = shared_.items[index_];
    begin(item);
    int tile = item.first_keys + item.key_tiles - 1;
    wait_for_keys();
    issue_scores();
    take_scores<0>(tile);
    weigh();
    keep_weights();
    if (tile > item.first_keys) wait_for_keys();
    for (; tile > item.first_keys; --tile) {
      ptx::sync_some(turn_of(index_), both);
      issue_scores();
      ptx::wait(&shared_.values_full[values_.stage], values_.parity);
      issue_sums();
      ptx::arrive_some(turn_of(1 - index_), both);
      take_scores<1>(tile - 1);
      weigh();
      // Here, since the assembler moves the wait for the sums to before the weights are computed
      // where no loop stands between them.
      if (tile - 1 > item.first_keys) wait_for_keys();
      take_sums();
      keep_weights();
      shrink();
    }
    release(&shared_.queries_empty[index_]);
    ptx::wait(&shared_.values_full[values_.stage], values_.parity);
    issue_sums();
    take_sums();
    store(item);
  }

 private:
  static constexpr float lowest = -1e30F; ///< a score that does not count
  static constexpr int both = computing_warpgroups * warpgroup_threads;
  __device__ static constexpr int turn_of(int index) { return 1 + index; }

  __device__ void begin(const prefill_item& item) {
    const int first = item.first_position;
    for (int i = 0; i < 2; ++i) {
      last_[i] = first + (item.first_query + row_ + 8 * i) / in_.group;
      best_[i] = lowest;
      total_[i] = 0.0F;
    }
    const int query = item.first_query + index_ * warpgroup_queries;
    sees_all_to_ = first + query / in_.group;
    sees_all_from_ = first_seen(in_, first + (query + warpgroup_queries - 1) / in_.group);
#pragma unroll
    for (int i = 0; i < Dim / 2; ++i) sums_[i] = 0.0F;
  }

  /// A warp is done with what the barrier guards.
  __device__ void release(std::uint64_t* barrier) const {
    if (lane_ == 0) ptx::arrive(barrier);
  }

  __device__ void wait_for_keys() const {
    ptx::wait(&shared_.keys_full[keys_.stage], keys_.parity);
  }

  __device__ void issue_scores() {
    constexpr std::uint32_t query_panel = sizeof shared_.queries[0][0];
    constexpr std::uint32_t key_panel = sizeof shared_.keys[0][0];
    const std::uint64_t queries = rows_descriptor(ptx::shared_address(shared_.queries[index_]));
    const std::uint64_t keys = rows_descriptor(ptx::shared_address(shared_.keys[keys_.stage]));
    ptx::wgmma_fence();
#pragma unroll
    for (int k = 0; k < Dim / 16; ++k) {
      const std::uint64_t a = advanced(queries, k / 4 * query_panel + k % 4 * 32);
      const std::uint64_t b = advanced(keys, k / 4 * key_panel + k % 4 * 32);
      if constexpr (T::type == dtype::bf16)
        ptx::multiply_shared_bf16(scores_, a, b, k > 0);
      else
        ptx::multiply_shared_f16(scores_, a, b, k > 0);
    }
    ptx::commit_products();
  }

  __device__ void issue_sums() {
    const std::uint64_t values =
        columns_descriptor(ptx::shared_address(shared_.values[values_.stage]),
                           static_cast<std::uint32_t>(sizeof shared_.values[0][0]));
    ptx::wgmma_fence();
#pragma unroll
    for (int k = 0; k < prefill_keys / 16; ++k) {
      const std::uint64_t b = advanced(values, k * 16 * panel_row_bytes);
      if constexpr (T::type == dtype::bf16)
        ptx::multiply_add_bf16(sums_, weights_ + 4 * k, b);
      else
        ptx::multiply_add_f16(sums_, weights_ + 4 * k, b);
    }
    ptx::commit_products();
  }

  /// Waits for the scores, behind which `Pending` groups of products were issued.
  template <int Pending>
  __device__ void take_scores(int tile) {
    ptx::wait_products<Pending>(scores_);
    release(&shared_.keys_empty[keys_.stage]);
    keys_.advance();
    const int start = tile * prefill_keys;
    if (start + prefill_keys - 1 > sees_all_to_ || start < sees_all_from_) mask(start);
  }

  __device__ void take_sums() {
    ptx::wait_products<0>(sums_);
    release(&shared_.values_empty[values_.stage]);
    values_.advance();
  }

  __device__ void mask(int start) {
    const int column = start + lane_ % 4 * 2;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int last = last_[i] - column, first = first_seen(in_, last_[i]) - column;
#pragma unroll
      for (int n = 0; n < prefill_keys / 8; ++n)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          float& score = scores_[4 * n + 2 * i + e];
          if (8 * n + e > last || 8 * n + e < first) score = lowest;
        }
    }
  }

  /// Scores become weights, beside the best score so far: what was summed up before is to shrink.
  __device__ void weigh() {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float best = best_[i];
#pragma unroll
      for (int n = 0; n < prefill_keys / 8; ++n)
        best = fmaxf(best, fmaxf(scores_[4 * n + 2 * i], scores_[4 * n + 2 * i + 1]));
      best = fmaxf(best, __shfl_xor_sync(0xFFFFFFFF, best, 1));
      best = fmaxf(best, __shfl_xor_sync(0xFFFFFFFF, best, 2));
      shrink_[i] = ptx::exp2((best_[i] - best) * in_.factor);
      best_[i] = best;
      const float base = best == lowest ? 0.0F : best * in_.factor; // nothing seen: weights 0
      float total = 0.0F;
#pragma unroll
      for (int n = 0; n < prefill_keys / 8; ++n)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          float& score = scores_[4 * n + 2 * i + e];
          score = ptx::exp2(fmaf(score, in_.factor, -base));
          total += score;
        }
      total_[i] = total_[i] * shrink_[i] + total;
    }
  }

  /// As a product takes them: the layouts of c and a differ in nothing but the type.
  __device__ void keep_weights() {
#pragma unroll
    for (int i = 0; i < prefill_keys / 4; ++i)
      weights_[i] = T::pack(scores_[2 * i], scores_[2 * i + 1]);
  }

  __device__ void shrink() {
#pragma unroll
    for (int i = 0; i < Dim / 2; ++i) sums_[i] *= shrink_[i / 2 % 2];
  }

  /// Neighbours exchange what they have of every two blocks of eight columns, so that a lane stores
  /// four adjacent numbers and a quad 32 bytes.
  __device__ void store(const prefill_item& item) const {
    const std::int64_t cols = std::int64_t{in_.kv_heads} * in_.group * Dim;
    const int odd = lane_ % 2;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float total = total_[i];
      total += __shfl_xor_sync(0xFFFFFFFF, total, 1);
      total += __shfl_xor_sync(0xFFFFFFFF, total, 2);
      const float share = 1.0F / total;
      const int query = item.first_query + row_ + 8 * i;
      const bool valid = query < item.rows * in_.group;
      T* const to = static_cast<T*>(in_.out) + (item.first_row + query / in_.group) * cols +
                    (item.kv_head * in_.group + query % in_.group) * Dim + odd * 8 +
                    lane_ % 4 / 2 * 4;
#pragma unroll
      for (int n = 0; n < Dim / 8; n += 2) {
        const float* const sums = sums_ + 4 * n + 2 * i;
        const std::uint32_t first = T::pack(sums[0] * share, sums[1] * share);
        const std::uint32_t second = T::pack(sums[4] * share, sums[5] * share);
        const std::uint32_t other = __shfl_xor_sync(0xFFFFFFFF, odd != 0 ? first : second, 1);
        if (valid)
          *reinterpret_cast<uint2*>(to + n * 8) =
              odd != 0 ? make_uint2(other, second) : make_uint2(first, other);
      }
    }
  }

  const prefill_inputs& in_;
  shared_memory& shared_;
  const int index_;
  const int lane_;
  const int row_; ///< of the tile, this thread's first; the other is 8 on
  ring_place<prefill_stages> keys_, values_;
  std::uint32_t queries_parity_ = 0;
  int sees_all_to_ = 0;   ///< all queries of the warpgroup see the positions from sees_all_from_
  int sees_all_from_ = 0; ///< to here
  int last_[2];           ///< position that a row sees last
  float best_[2], total_[2], shrink_[2];
  float scores_[prefill_keys / 2];
  float sums_[Dim / 2];
  std::uint32_t weights_[prefill_keys / 4];
};

} // namespace troupe::cuda
