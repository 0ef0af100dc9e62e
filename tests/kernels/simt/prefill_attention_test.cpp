// Hopper's prefill attention, interpreted, against the sum written out. Where nobody may look is
// NaN: pages that no sequence holds, positions that all windows have passed, the output before.
#include "kernels/cuda/prefill_attention.hpp"
#include "tests/kernels/device.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

using cuda::prefill_attention;
using reference::attention_rule;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

struct layer {
  head_shape shape{2, 1, 64};
  std::int32_t block_tokens = 16;
  dtype type = dtype::bf16;
  std::int32_t least_rows = 1;

  std::int64_t cols() const {
    return std::int64_t{shape.heads + 2 * shape.kv_heads} * shape.head_dim;
  }
  std::int64_t stride() const { return std::int64_t{shape.kv_heads} * shape.head_dim; }
  std::int64_t width() const { return std::int64_t{shape.heads} * shape.head_dim; }
};

/// A batch with its own copy of everything that attention reads. Tables stand in the reverse order.
class paged_batch {
 public:
  paged_batch(const layer& of, const std::vector<run>& runs, const attention_rule& rule)
      : layer_(of), rule_(rule) {
    for (const run& r : runs)
      table_stride_ =
          std::max(table_stride_, (r.first + r.rows + of.block_tokens - 1) / of.block_tokens + 1);
    const std::int64_t page_rows = table_stride_ * std::ssize(runs) * of.block_tokens;
    keys_.assign(size(page_rows * of.stride()), nan);
    values_ = keys_;
    tables_.resize(size(table_stride_ * std::ssize(runs)));
    for (std::size_t i = 0; i < tables_.size(); ++i) tables_[i] = static_cast<std::int32_t>(i);
    std::shuffle(tables_.begin(), tables_.end(), std::mt19937(1));
    for (std::size_t s = 0; s < runs.size(); ++s) add(runs.size() - 1 - s, runs[s]);
  }

  std::vector<float> attend(prefill_attention& with) {
    auto qkv = as_type(qkv_, layer_.type), keys = as_type(keys_, layer_.type),
         values = as_type(values_, layer_.type);
    auto out = as_type(std::vector<float>(size(tokens_ * layer_.width()), nan), layer_.type);
    batch_view view;
    view.tokens = tokens_;
    view.sequences = static_cast<std::int32_t>(runs_.size());
    view.block_tables = tables_.data();
    view.table_stride = table_stride_;
    view.runs = runs_;
    const auto pages = [&](typed_values& of) -> matrix {
      return {of.bytes.data(), layer_.type, std::ssize(of.values) / layer_.stride(),
              layer_.stride()};
    };
    with.run({out.bytes.data(), layer_.type, tokens_, layer_.width()},
             {qkv.bytes.data(), layer_.type, tokens_, layer_.cols()}, layer_.shape,
             {pages(keys), pages(values), layer_.block_tokens}, view,
             static_cast<float>(rule_.scale), rule_.window, layer_.least_rows);
    std::vector<float> result;
    for (std::size_t i = 0; i < out.bytes.size(); i += 2) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, &out.bytes[i], 2);
      result.push_back(layer_.type == dtype::bf16 ? reference::of_bf16(bits)
                                                  : reference::of_f16(bits));
    }
    return result;
  }

  /// NaN where nothing is to be written.
  const std::vector<double>& expected() const { return expected_; }

 private:
  std::vector<float> some(std::int64_t count) {
    return as_type(random_floats(size(count), seed_++), layer_.type).values;
  }

  void add(std::size_t row, const run& r) {
    const std::int32_t length = r.first + r.rows;
    const auto queries = some(r.rows * layer_.cols());
    const auto keys = some(length * layer_.stride()), values = some(length * layer_.stride());
    qkv_.insert(qkv_.end(), queries.begin(), queries.end());
    runs_.push_back({tokens_, r.rows, r.first, static_cast<std::int32_t>(row)});
    tokens_ += r.rows;
    expect(queries, keys, values, r);

    const std::int32_t lost = rule_.window > 0 ? std::max(0, r.first - rule_.window + 1) : 0;
    std::int32_t* const table = tables_.data() + row * size(table_stride_);
    for (std::int32_t p = lost; p < length; ++p) {
      const std::int64_t row = std::int64_t{table[p / layer_.block_tokens]} * layer_.block_tokens +
                               p % layer_.block_tokens;
      std::copy_n(keys.begin() + p * layer_.stride(), layer_.stride(),
                  keys_.begin() + row * layer_.stride());
      std::copy_n(values.begin() + p * layer_.stride(), layer_.stride(),
                  values_.begin() + row * layer_.stride());
    }
    std::fill_n(table, lost / layer_.block_tokens, -1);
    std::fill(table + (length + layer_.block_tokens - 1) / layer_.block_tokens,
              table + table_stride_, -1);
  }

  void expect(const std::vector<float>& queries, const std::vector<float>& keys,
              const std::vector<float>& values, const run& r) {
    const auto dim = size(layer_.shape.head_dim);
    const std::int32_t group = layer_.shape.heads / layer_.shape.kv_heads;
    for (std::int32_t i = 0; i < r.rows; ++i)
      for (std::int32_t h = 0; h < layer_.shape.heads; ++h) {
        if (r.rows < layer_.least_rows) {
          expected_.insert(expected_.end(), dim, nan);
          continue;
        }
        const auto head = reference::attend(
            queries.data() + i * layer_.cols() + size(h) * dim, keys.data() + size(h / group) * dim,
            values.data() + size(h / group) * dim, size(layer_.stride()), dim, r.first + i, rule_);
        expected_.insert(expected_.end(), head.begin(), head.end());
      }
  }

  layer layer_;
  attention_rule rule_;
  std::uint32_t seed_ = 1;
  std::int32_t table_stride_ = 0, tokens_ = 0;
  std::vector<float> qkv_, keys_, values_;
  std::vector<std::int32_t> tables_;
  std::vector<sequence_rows> runs_;
  std::vector<double> expected_;
};

void expect_attended(const std::vector<float>& got, const std::vector<double>& want,
                     double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    if (std::isnan(want[i]))
      ASSERT_TRUE(std::isnan(got[i])) << "element " << i << " was written: " << got[i];
    else
      ASSERT_LE(std::fabs(got[i] - want[i]), tolerance * (std::fabs(want[i]) + 1))
          << "element " << i << ": " << got[i] << ", not " << want[i];
}

void check(const layer& of, const std::vector<run>& runs,
           const attention_rule& rule = {.scale = 0.1}, std::int32_t multiprocessors = 2) {
  SCOPED_TRACE(fmt::format("heads {} kv {} dim {} block {} window {} first run {} from {}",
                           of.shape.heads, of.shape.kv_heads, of.shape.head_dim, of.block_tokens,
                           rule.window, runs[0].rows, runs[0].first));
  cuda::staging uploads(nullptr);
  prefill_attention device(nullptr, multiprocessors, uploads);
  paged_batch batch(of, runs, rule);
  expect_attended(batch.attend(device), batch.expected(), of.type == dtype::bf16 ? 2e-2 : 4e-3);
}

TEST(PrefillAttention, AttendsWithHeadsOfBothSizesInBothTypes) {
  for (const std::int32_t dim : {64, 128})
    for (const dtype type : {dtype::bf16, dtype::f16}) check({{2, 1, dim}, 16, type}, {{0, 150}});
}

TEST(PrefillAttention, AttendsAroundTheEndsOfTiles) {
  for (const std::int32_t rows : {1, 63, 64, 65, 127, 128, 129, 300})
    check({{1, 1, 64}}, {{0, rows}});
}

TEST(PrefillAttention, AttendsBehindACachedPrefix) {
  for (const std::int32_t first : {1, 16, 127, 500}) check({{2, 1, 64}}, {{first, 70}});
  check({{1, 1, 128}}, {{500, 130}});
}

TEST(PrefillAttention, SharesKeyHeadsAmongAnyNumberOfQueryHeads) {
  for (const std::int32_t group : {1, 2, 3, 5, 8}) check({{2 * group, 2, 64}}, {{7, 40}});
}

TEST(PrefillAttention, LooksBackOverItsWindowOnly) {
  for (const std::int32_t window : {1, 16, 100, 128, 1000})
    check({{2, 1, 64}}, {{0, 150}, {290, 70}}, {.scale = 0.2, .window = window});
}

TEST(PrefillAttention, ReadsNothingThatAllItsWindowsHavePassed) {
  for (const std::int32_t window : {90, 200})
    check({{1, 1, 128}}, {{300, 50}}, {.scale = 0.2, .window = window});
}

TEST(PrefillAttention, AttendsOverBlocksOfManySizes) {
  for (const std::int32_t block_tokens : {8, 48, 64, 256})
    check({{1, 1, 128}, block_tokens}, {{0, 140}});
}

TEST(PrefillAttention, LeavesOtherSequencesRowsAsTheyAre) {
  check({{2, 2, 64}, 16, dtype::bf16, 20}, {{40, 1}, {3, 20}, {0, 19}, {0, 0}, {100, 33}});
  check({{2, 2, 64}, 16, dtype::bf16, 20}, {{40, 1}, {0, 19}});
}

TEST(PrefillAttention, GoesThroughManyItemsInABlock) {
  check({{4, 4, 64}}, {{0, 200}, {130, 40}, {0, 5}}, {.scale = 0.1}, 1);
  check({{4, 4, 64}}, {{0, 200}, {130, 40}, {0, 5}}, {.scale = 0.1}, 60);
}

TEST(PrefillAttention, SurvivesScoresThatOverflowTheirExponentials) {
  check({{2, 1, 64}}, {{100, 60}}, {.scale = 40});
}

TEST(PrefillAttention, KeepsPlansUntilTheNextBatchBegins) {
  cuda::staging uploads(nullptr);
  prefill_attention device(nullptr, 2, uploads);
  const attention_rule wide{.scale = 0.1}, narrow{.scale = 0.1, .window = 20};
  for (const std::int32_t batches : {0, 5, 6}) {
    const run rows{10 * batches, 20 + batches};
    device.begin();
    for (const auto& rule : {wide, narrow, wide}) {
      paged_batch batch({}, {rows}, rule);
      expect_attended(batch.attend(device), batch.expected(), 2e-2);
    }
  }
}

TEST(PrefillAttention, RefusesWhatItHasNoKernelFor) {
  EXPECT_TRUE(prefill_attention::takes({8, 2, 128}, 16, 0));
  EXPECT_FALSE(prefill_attention::takes({8, 2, 96}, 16, 0));
  EXPECT_FALSE(prefill_attention::takes({8, 2, 128}, 12, 0));
  EXPECT_FALSE(prefill_attention::takes({8, 2, 128}, 16, 30));
  cuda::staging uploads(nullptr);
  prefill_attention device(nullptr, 2, uploads);
  paged_batch batch({{2, 1, 96}}, {{0, 3}}, {});
  EXPECT_THROW(batch.attend(device), std::invalid_argument);
}

} // namespace

} // namespace troupe
