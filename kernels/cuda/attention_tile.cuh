// The arithmetic of attention: 16 queries of one warp over tiles of keys and values in shared
// memory, with the online softmax (Milakov and Gimelshein, 1805.02867) in registers as in
// FlashAttention-2 (Dao, 2307.08691). A tile that a query does not see changes none of its bits:
// its weights are 0 and what was summed is multiplied by 1.
#pragma once

#include "kernels/cuda/numbers.cuh"

#include <limits>
#include <numbers>

namespace troupe::cuda {

constexpr float lowest = -std::numeric_limits<float>::infinity();

/// How heads of `Dim` elements lie in shared memory, in rows that 8 matrices read without conflict.
template <int Dim>
struct head_tile {
  static constexpr int keys = Dim > 128 ? 32 : 64; ///< positions of a tile
  static constexpr int stride = Dim + vector_size; ///< elements
};

/// What scores are multiplied by, or bound by, before they are powers of two.
struct score_scale {
  float softcap_scale; ///< where > 0: scores become tanh(score * softcap_scale)
  float factor;        ///< then this brings them to powers of two

  score_scale(float scale, float softcap)
      : softcap_scale(softcap > 0.0F ? scale / softcap : 0.0F),
        factor((softcap > 0.0F ? softcap : scale) * std::numbers::log2e_v<float>) {}
};

/// What two sums of weights are multiplied by when they are brought under one highest score.
struct merged {
  float best;
  float kept;  ///< of the one so far
  float added; ///< of the other

  __device__ merged(float so_far, float other) : best(fmaxf(so_far, other)) {
    const float base = best == lowest ? 0.0F : best;
    kept = ptx::exp2(so_far - base);
    added = ptx::exp2(other - base);
  }
  /// Every merge goes through here, so that all round alike.
  __device__ float operator()(float so_far, float other) const {
    return fmaf(so_far, kept, other * added);
  }
};

/// The positions [first, last] that a query sees.
struct seen_positions {
  int first;
  int last;
};

/// The queries of a warp, over tiles of `Keys` positions. A thread has numbers of two of them, lane
/// / 4 and 8 more.
template <class T, int Dim, int Keys = head_tile<Dim>::keys>
class warp_attention {
 public:
  static constexpr int keys = Keys;
  static constexpr int stride = head_tile<Dim>::stride;

  float sums[Dim / 8][4]; ///< as ptx::mma has them: weighted values
  float best[2];          ///< highest scores so far, as powers of two
  float total[2];         ///< sums of weights, once add_up() was called

  __device__ void reset() {
#pragma unroll
    for (auto& four : sums)
      for (float& sum : four) sum = 0.0F;
    best[0] = best[1] = lowest;
    total[0] = total[1] = 0.0F;
  }

  /// Attends to the positions [start, start + keys). queries: 16 rows, key and value rows: `keys`
  /// rows of finite numbers, all in shared memory.
  __device__ void attend(const T* queries, const T* key_rows, const T* value_rows, int start,
                         const seen_positions (&seen)[2], const score_scale& scale) {
    float scores[keys / 8][4] = {};
    multiply_keys(scores, queries, key_rows);
    if (scale.softcap_scale > 0.0F) {
#pragma unroll
      for (auto& four : scores)
        for (float& score : four) score = tanhf(score * scale.softcap_scale);
    }
    hide(scores, start, seen);
    soften(scores, scale.factor);
    add_values(scores, value_rows);
  }

  /// Adds up the weights, of which each thread has a fourth.
  __device__ void add_up() {
#pragma unroll
    for (float& sum : total) {
      sum += __shfl_xor_sync(0xFFFFFFFF, sum, 1);
      sum += __shfl_xor_sync(0xFFFFFFFF, sum, 2);
    }
  }

 private:
  __device__ static int lane() { return static_cast<int>(threadIdx.x % 32); }

  __device__ static void multiply_keys(float (&scores)[keys / 8][4], const T* queries,
                                       const T* key_rows) {
    const T* const query = queries + lane() % 16 * stride + lane() / 16 * 8;
    const T* const key = key_rows + (lane() % 8 + lane() / 16 * 8) * stride + lane() / 8 % 2 * 8;
#pragma unroll
    for (int k = 0; k < Dim; k += 16) {
      std::uint32_t a[4];
      ptx::load_matrices(a, query + k);
#pragma unroll
      for (int n = 0; n < keys; n += 16) {
        std::uint32_t b[4];
        ptx::load_matrices(b, key + n * stride + k);
        T::mma(scores[n / 8], a, {b[0], b[1]});
        T::mma(scores[n / 8 + 1], a, {b[2], b[3]});
      }
    }
  }

  /// Gives the positions that a query does not see no chance.
  __device__ static void hide(float (&scores)[keys / 8][4], int start,
                              const seen_positions (&seen)[2]) {
    const bool all = start >= max(seen[0].first, seen[1].first) &&
                     start + keys - 1 <= min(seen[0].last, seen[1].last);
    if (all) return;
    const int first = start + lane() % 4 * 2;
#pragma unroll
    for (int n = 0; n < keys / 8; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int position = first + n * 8 + i % 2;
        if (position < seen[i / 2].first || position > seen[i / 2].last) scores[n][i] = lowest;
      }
  }

  /// Turns scores into weights under the highest so far, and brings what is summed under that.
  __device__ void soften(float (&scores)[keys / 8][4], float factor) {
#pragma unroll
    for (int row = 0; row < 2; ++row) {
      float highest = lowest;
#pragma unroll
      for (const auto& four : scores)
        highest = fmaxf(highest, fmaxf(four[2 * row], four[2 * row + 1]));
      highest = fmaxf(highest, __shfl_xor_sync(0xFFFFFFFF, highest, 1));
      highest = fmaxf(highest, __shfl_xor_sync(0xFFFFFFFF, highest, 2));
      highest = fmaxf(best[row], highest * factor);
      const float base = highest == lowest ? 0.0F : highest;
      const float kept = ptx::exp2(best[row] - base);
      best[row] = highest;
      float sum = 0.0F;
#pragma unroll
      for (auto& four : scores)
#pragma unroll
        for (int i = 2 * row; i < 2 * row + 2; ++i) {
          four[i] = ptx::exp2(fmaf(four[i], factor, -base));
          sum += four[i];
        }
      total[row] = fmaf(total[row], kept, sum);
#pragma unroll
      for (auto& four : sums) {
        four[2 * row] *= kept;
        four[2 * row + 1] *= kept;
      }
    }
  }

  __device__ void add_values(const float (&weights)[keys / 8][4], const T* value_rows) {
    const T* const value = value_rows + lane() % 16 * stride + lane() / 16 * 8;
#pragma unroll
    for (int k = 0; k < keys / 8; k += 2) {
      const std::uint32_t a[4] = {T::pack(weights[k][0], weights[k][1]),
                                  T::pack(weights[k][2], weights[k][3]),
                                  T::pack(weights[k + 1][0], weights[k + 1][1]),
                                  T::pack(weights[k + 1][2], weights[k + 1][3])};
#pragma unroll
      for (int n = 0; n < Dim; n += 16) {
        std::uint32_t b[4];
        ptx::load_matrices_transposed(b, value + k * 8 * stride + n);
        T::mma(sums[n / 8], a, {b[0], b[1]});
        T::mma(sums[n / 8 + 1], a, {b[2], b[3]});
      }
    }
  }
};

} // namespace troupe::cuda
