// A tile is 64 positions of keys and values, copied out of the pages: keys transposed, so that both
// products are panels for tile-inl.hpp. A query whose range covers the tile is computed with its
// neighbours; one whose range ends inside it is computed with the heads of its own row and over its
// own positions only. So nothing that stands behind a position reaches it, not even as 0 * NaN, and
// each query's sums are the same whatever rows share the task.
#include "kernels/cpu/attention.hpp"

#include "kernels/cpu/targets.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cpp"
#include <hwy/foreach_target.h>
#include "kernels/cpu/tile-inl.hpp"
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace troupe::HWY_NAMESPACE {

constexpr std::int32_t tile_positions = panel_width;
constexpr std::int32_t max_head_panels = max_head_dim / panel_width;
alignas(64) constexpr float zero_head[max_head_dim] = {};

struct range {
  std::int32_t begin = 0;
  std::int32_t end = 0;
};

class attention_kernel {
 public:
  attention_kernel(const attention_inputs& in, const attention_task& task)
      : in_(in), task_(task), dim_(in.shape.head_dim), panels_((dim_ + 63) / 64),
        queries_(task.rows * task.heads) {}

  void run() {
    load_queries();
    const std::int32_t last = position(task_.rows - 1);
    for (std::int32_t start = visible(0).begin / tile_positions * tile_positions; start <= last;
         start += tile_positions) {
      const std::int32_t left = last + 1 - start;
      load_tile(start, std::min(tile_positions, left),
                std::clamp(left - tile_positions, 0, tile_positions));
      attend_tile(start);
    }
    store();
  }

 private:
  std::int32_t position(std::int32_t row) const {
    return in_.batch.positions[task_.first_row + row];
  }

  /// The positions that a row of the task sees.
  range visible(std::int32_t row) const {
    const std::int32_t end = position(row) + 1;
    return {in_.window > 0 ? std::max(0, end - in_.window) : 0, end};
  }

  const float* query(std::int32_t row, std::int32_t head) const {
    const std::int64_t first = task_.first_row + row;
    return static_cast<const float*>(in_.qkv.data) + first * in_.qkv.cols +
           static_cast<std::int64_t>(task_.first_head + head) * dim_;
  }

  void load_queries() {
    for (std::int32_t q = 0; q < queries_; ++q) {
      std::copy_n(query(q / task_.heads, q % task_.heads), dim_, queries_copy_ + q * dim_);
      best_[q] = -std::numeric_limits<float>::infinity();
      total_[q] = 0;
    }
    for (std::int32_t panel = 0; panel < panels_; ++panel)
      std::fill_n(sums(panel, 0), queries_ * panel_width, 0.0F);
  }

  float* sums(std::int32_t panel, std::int32_t query) {
    return sums_ + (panel * max_task_queries + query) * panel_width;
  }

  /// Columns of a panel that the head has.
  std::int64_t columns(std::int32_t panel) const {
    return std::min<std::int64_t>(panel_width, dim_ - panel * panel_width);
  }

  /// Calls f(j, row) with the row of the pages of each position start + j, j < count.
  template <class F>
  void each_page_row(std::int32_t start, std::int32_t count, F&& f) const {
    const std::int32_t tokens = in_.pages.block_tokens;
    const std::int64_t table = in_.batch.table_of[task_.first_row];
    const std::int32_t* block =
        in_.batch.block_tables + table * in_.batch.table_stride + start / tokens;
    std::int32_t offset = start % tokens;
    for (std::int32_t j = 0; j < count; ++j) {
      f(j, static_cast<std::int64_t>(*block) * tokens + offset);
      if (++offset < tokens) continue;
      offset = 0;
      ++block;
    }
  }

  /// Copies the first `count` positions of a tile, and calls for the `next` ones behind the tile.
  void load_tile(std::int32_t start, std::int32_t count, std::int32_t next) {
    const std::int64_t stride = in_.pages.keys.cols;
    const std::int64_t head =
        static_cast<std::int64_t>(task_.first_head / (in_.shape.heads / in_.shape.kv_heads)) * dim_;
    const float* const all_keys = static_cast<const float*>(in_.pages.keys.data) + head;
    const float* const all_values = static_cast<const float*>(in_.pages.values.data) + head;
    each_page_row(start + tile_positions, next, [&](std::int32_t, std::int64_t row) {
      for (std::int32_t i = 0; i < dim_; i += 16) {
        hwy::Prefetch(all_keys + row * stride + i);
        hwy::Prefetch(all_values + row * stride + i);
      }
    });
    const float* keys[tile_positions];
    std::fill_n(keys, tile_positions, zero_head);
    each_page_row(start, count, [&](std::int32_t j, std::int64_t row) {
      keys[j] = all_keys + row * stride;
      load_value(all_values + row * stride, j);
    });
    key_columns_ = (count + 15) / 16 * 16;
    for (std::int32_t j = 0; j < key_columns_; j += 4) load_keys(keys + j, j);
  }

  void load_value(const float* value, std::int32_t j) {
    const floats d;
    std::int32_t i = 0;
    for (; i + lanes <= dim_; i += lanes) hn::Store(hn::LoadU(d, value + i), d, value_at(i, j));
    for (; i < dim_; ++i) *value_at(i, j) = value[i];
  }

  float* value_at(std::int32_t i, std::int32_t j) {
    return values_ + (i / panel_width * tile_positions + j) * panel_width + i % panel_width;
  }

  /// Four keys become four columns.
  void load_keys(const float* const* keys, std::int32_t column) {
    const hn::Full128<float> d;
    std::int32_t i = 0;
    for (; i + 4 <= dim_; i += 4) {
      const auto a = hn::LoadU(d, keys[0] + i), b = hn::LoadU(d, keys[1] + i);
      const auto e = hn::LoadU(d, keys[2] + i), f = hn::LoadU(d, keys[3] + i);
      const auto ae = hn::InterleaveLower(d, a, e), bf = hn::InterleaveLower(d, b, f);
      const auto ae_high = hn::InterleaveUpper(d, a, e), bf_high = hn::InterleaveUpper(d, b, f);
      float* const to = keys_ + i * panel_width + column;
      hn::Store(hn::InterleaveLower(d, ae, bf), d, to);
      hn::Store(hn::InterleaveUpper(d, ae, bf), d, to + panel_width);
      hn::Store(hn::InterleaveLower(d, ae_high, bf_high), d, to + 2 * panel_width);
      hn::Store(hn::InterleaveUpper(d, ae_high, bf_high), d, to + 3 * panel_width);
    }
    for (; i < dim_; ++i)
      for (std::int32_t j = 0; j < 4; ++j) keys_[i * panel_width + column + j] = keys[j][i];
  }

  void attend_tile(std::int32_t start) {
    std::fill_n(scores_, queries_ * panel_width, 0.0F);
    multiply(queries_copy_, dim_, queries_, keys_, dim_, key_columns_, scores_);
    const range tile{start, start + tile_positions};
    std::int32_t first_full = -1;
    std::int32_t row = 0;
    for (; row < task_.rows; ++row) {
      const range seen = visible(row);
      const range part{std::max(seen.begin, tile.begin) - start,
                       std::min(seen.end, tile.end) - start};
      const bool full = part.begin == 0 && part.end == tile_positions;
      if (!full && first_full >= 0) {
        add_values(first_full, row, {0, tile_positions});
        first_full = -1;
      }
      if (part.begin >= part.end) continue;
      for (std::int32_t head = 0; head < task_.heads; ++head)
        soften(row * task_.heads + head, part);
      if (!full) add_values(row, row + 1, part);
      if (full && first_full < 0) first_full = row;
    }
    if (first_full >= 0) add_values(first_full, row, {0, tile_positions});
  }

  /// Turns a query's scores into weights under its best score so far, and brings what it has summed
  /// under that.
  void soften(std::int32_t query, range part) {
    const floats d;
    float* const scores = scores_ + query * panel_width;
    const auto scale = hn::Set(d, in_.scale);
    const auto cap = hn::Set(d, in_.softcap);
    for (std::int32_t j = 0; j < tile_positions; j += lanes) {
      auto score = hn::Mul(hn::Load(d, scores + j), scale);
      if (in_.softcap > 0) score = hn::Mul(cap, hn::Tanh(d, hn::Div(score, cap)));
      hn::Store(score, d, scores + j);
    }
    const float none = -std::numeric_limits<float>::infinity();
    std::fill(scores, scores + part.begin, none);
    std::fill(scores + part.end, scores + tile_positions, none);
    auto highest = hn::Set(d, best_[query]);
    for (std::int32_t j = 0; j < tile_positions; j += lanes)
      highest = hn::Max(highest, hn::Load(d, scores + j));
    highest = hn::MaxOfLanes(d, highest);
    auto total = hn::Zero(d);
    for (std::int32_t j = 0; j < tile_positions; j += lanes) {
      const auto weight = hn::Exp(d, hn::Sub(hn::Load(d, scores + j), highest));
      total = hn::Add(total, weight);
      hn::Store(weight, d, scores + j);
    }
    const auto kept = hn::Exp(d, hn::Sub(hn::Set(d, best_[query]), highest));
    total_[query] = total_[query] * hn::GetLane(kept) + hn::GetLane(hn::SumOfLanes(d, total));
    best_[query] = hn::GetLane(highest);
    for (std::int32_t panel = 0; panel < panels_; ++panel)
      for (std::int32_t i = 0; i < panel_width; i += lanes)
        hn::Store(hn::Mul(hn::Load(d, sums(panel, query) + i), kept), d, sums(panel, query) + i);
  }

  /// Adds the weighted values of the positions `part` of the tile to rows [first, last).
  void add_values(std::int32_t first, std::int32_t last, range part) {
    const std::int32_t query = first * task_.heads;
    for (std::int32_t panel = 0; panel < panels_; ++panel)
      multiply(scores_ + query * panel_width + part.begin, panel_width,
               (last - first) * task_.heads,
               values_ + (panel * tile_positions + part.begin) * panel_width, part.end - part.begin,
               columns(panel), sums(panel, query));
  }

  void store() {
    for (std::int32_t q = 0; q < queries_; ++q) {
      const std::int64_t row = task_.first_row + q / task_.heads;
      float* const to = static_cast<float*>(in_.out.data) + row * in_.out.cols +
                        static_cast<std::int64_t>(task_.first_head + q % task_.heads) * dim_;
      for (std::int32_t i = 0; i < dim_; ++i) to[i] = sums(i / 64, q)[i % 64] / total_[q];
    }
  }

  const attention_inputs& in_;
  const attention_task& task_;
  const std::int32_t dim_;
  const std::int32_t panels_;
  const std::int32_t queries_;
  std::int32_t key_columns_ = 0;
  float best_[max_task_queries];
  float total_[max_task_queries];
  alignas(64) float queries_copy_[max_task_queries * max_head_dim];
  alignas(64) float scores_[max_task_queries * panel_width];
  alignas(64) float keys_[max_head_dim * panel_width];
  alignas(64) float values_[max_head_panels * tile_positions * panel_width];
  alignas(64) float sums_[max_head_panels * max_task_queries * panel_width];
};

void attend_task(const attention_inputs& inputs, const attention_task& task) {
  attention_kernel(inputs, task).run();
}

} // namespace troupe::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace troupe {

HWY_EXPORT(attend_task);

void attend(const attention_inputs& inputs, const attention_task& task) {
  HWY_DYNAMIC_DISPATCH(attend_task)(inputs, task);
}

} // namespace troupe
#endif
