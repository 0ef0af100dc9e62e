// The GPU's attention, interpreted: every way to cut the work gives the sum written out, and a row
// the same bits.
#include "kernels/cuda/attention.hpp"
#include "tests/kernels/device.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

using cuda::paged_attention;
using reference::attention_rule;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// Layers whose rows, keys and values depend on the sequence's seed and the position only.
struct layer {
  head_shape shape;
  std::int32_t block_tokens = 16;
  dtype type = dtype::bf16;

  std::int64_t cols() const {
    return std::int64_t{shape.heads + 2 * shape.kv_heads} * shape.head_dim;
  }
  std::int64_t stride() const { return std::int64_t{shape.kv_heads} * shape.head_dim; }
  std::int64_t width() const { return std::int64_t{shape.heads} * shape.head_dim; }

  std::vector<float> values_of(std::uint32_t seed, std::int64_t count) const {
    return as_type(random_floats(size(count), seed), type).values;
  }
  std::vector<float> queries(std::uint32_t sequence, const run& at) const {
    const auto all = values_of(3 * sequence, (at.first + at.rows) * cols());
    return {all.begin() + at.first * cols(), all.end()};
  }
  std::vector<float> keys(std::uint32_t sequence, std::int64_t length) const {
    return values_of(3 * sequence + 1, length * stride());
  }
  std::vector<float> values(std::uint32_t sequence, std::int64_t length) const {
    return values_of(3 * sequence + 2, length * stride());
  }
};

/// Rows of a sequence; two with the same seed are the same sequence.
struct sequence_run {
  run rows;
  std::uint32_t seed = 0;
};

std::vector<sequence_run> numbered(const std::vector<run>& runs) {
  std::vector<sequence_run> out;
  for (const run& rows : runs) out.push_back({rows, static_cast<std::uint32_t>(out.size() + 1)});
  return out;
}

/// A batch whose sequences have their blocks scattered over the pages, and their tables in the
/// reverse order; what no sequence holds is NaN.
class paged_batch {
 public:
  paged_batch(const layer& of, const std::vector<sequence_run>& runs)
      : layer_(of), last_table_(runs.size() - 1) {
    for (const auto& [rows, seed] : runs)
      table_stride_ = std::max(table_stride_, blocks(rows.first + rows.rows) + 1);
    const std::int64_t page_rows =
        std::int64_t{table_stride_} * std::ssize(runs) * layer_.block_tokens;
    keys_.assign(size(page_rows * layer_.stride()), nan);
    values_ = keys_;
    tables_.resize(size(table_stride_ * std::ssize(runs)));
    for (std::size_t i = 0; i < tables_.size(); ++i) tables_[i] = static_cast<std::int32_t>(i);
    std::shuffle(tables_.begin(), tables_.end(), std::mt19937(1));
    for (std::size_t s = 0; s < runs.size(); ++s) add(s, runs[s]);
  }

  /// Spoils the first positions of a sequence and where they lie, as if their blocks were given
  /// back.
  void forget(std::size_t sequence, std::int32_t positions) {
    for (std::int32_t p = 0; p < positions; ++p) {
      const std::int64_t at = page_row(sequence, p) * layer_.stride();
      std::fill_n(keys_.begin() + at, layer_.stride(), nan);
      std::fill_n(values_.begin() + at, layer_.stride(), nan);
    }
    std::fill_n(tables_.begin() + static_cast<std::ptrdiff_t>(table_of(sequence)) * table_stride_,
                positions / layer_.block_tokens, -1);
  }

  std::vector<float> attend(paged_attention& with, const attention_rule& rule) {
    auto qkv = as_type(qkv_, layer_.type), keys = as_type(keys_, layer_.type),
         values = as_type(values_, layer_.type);
    const std::int64_t tokens = std::ssize(positions_);
    auto out = as_type(std::vector<float>(size(tokens * layer_.width()), nan), layer_.type);
    batch_view view;
    view.tokens = static_cast<std::int32_t>(tokens);
    view.sequences = static_cast<std::int32_t>(first_row_.size()) - 1;
    view.positions = positions_.data();
    view.sequence_of = sequence_of_.data();
    view.first_row = first_row_.data();
    view.table_of = table_of_.data();
    view.block_tables = tables_.data();
    view.table_stride = table_stride_;
    with.run(nullptr, {out.bytes.data(), layer_.type, tokens, layer_.width()},
             {qkv.bytes.data(), layer_.type, tokens, layer_.cols()}, layer_.shape,
             {pages(keys), pages(values), layer_.block_tokens}, view,
             static_cast<float>(rule.scale), rule.window, static_cast<float>(rule.softcap));
    std::vector<float> result;
    for (std::size_t i = 0; i < out.bytes.size(); i += 2) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, &out.bytes[i], 2);
      result.push_back(layer_.type == dtype::bf16 ? reference::of_bf16(bits)
                                                  : reference::of_f16(bits));
    }
    return result;
  }

 private:
  std::int32_t blocks(std::int32_t tokens) const {
    return (tokens + layer_.block_tokens - 1) / layer_.block_tokens;
  }

  matrix pages(typed_values& of) const {
    return {of.bytes.data(), layer_.type, std::ssize(of.values) / layer_.stride(), layer_.stride()};
  }

  std::size_t table_of(std::size_t s) const { return last_table_ - s; }

  std::int64_t page_row(std::size_t s, std::int32_t position) const {
    const auto block =
        tables_[table_of(s) * size(table_stride_) + size(position / layer_.block_tokens)];
    return std::int64_t{block} * layer_.block_tokens + position % layer_.block_tokens;
  }

  void add(std::size_t s, const sequence_run& at) {
    const std::int32_t length = at.rows.first + at.rows.rows;
    const auto rows = layer_.queries(at.seed, at.rows);
    qkv_.insert(qkv_.end(), rows.begin(), rows.end());
    for (std::int32_t p = at.rows.first; p < length; ++p) {
      positions_.push_back(p);
      sequence_of_.push_back(static_cast<std::int32_t>(s));
      table_of_.push_back(static_cast<std::int32_t>(table_of(s)));
    }
    first_row_.push_back(static_cast<std::int32_t>(positions_.size()));
    const auto keys = layer_.keys(at.seed, length), values = layer_.values(at.seed, length);
    for (std::int32_t p = 0; p < length; ++p) {
      const std::int64_t to = page_row(s, p) * layer_.stride();
      std::copy_n(keys.begin() + p * layer_.stride(), layer_.stride(), keys_.begin() + to);
      std::copy_n(values.begin() + p * layer_.stride(), layer_.stride(), values_.begin() + to);
    }
  }

  layer layer_;
  std::size_t last_table_;
  std::int32_t table_stride_ = 0;
  std::vector<float> qkv_, keys_, values_;
  std::vector<std::int32_t> positions_, sequence_of_, table_of_, first_row_{0}, tables_;
};

std::vector<double> expected(const layer& of, const std::vector<sequence_run>& runs,
                             const attention_rule& rule) {
  const auto dim = size(of.shape.head_dim);
  std::vector<double> out;
  for (const auto& [rows, seed] : runs) {
    const auto queries = of.queries(seed, rows);
    const auto keys = of.keys(seed, rows.first + rows.rows),
               values = of.values(seed, rows.first + rows.rows);
    for (std::int32_t i = 0; i < rows.rows; ++i)
      for (std::int32_t h = 0; h < of.shape.heads; ++h) {
        const std::size_t shared = size(h / (of.shape.heads / of.shape.kv_heads)) * dim;
        const auto head =
            reference::attend(queries.data() + i * of.cols() + size(h) * dim, keys.data() + shared,
                              values.data() + shared, size(of.stride()), dim, rows.first + i, rule);
        out.insert(out.end(), head.begin(), head.end());
      }
  }
  return out;
}

/// A device so small that blocks go through several splits.
paged_attention on_small_device() { return paged_attention(1, 64); }
/// One so large that every split is an item of its own.
paged_attention on_large_device() { return paged_attention(12, 64); }

void check(paged_attention& with, const layer& of, const std::vector<run>& runs,
           const attention_rule& rule) {
  SCOPED_TRACE(fmt::format("heads {} kv {} dim {} block {} window {} softcap {}", of.shape.heads,
                           of.shape.kv_heads, of.shape.head_dim, of.block_tokens, rule.window,
                           rule.softcap));
  const auto sequences = numbered(runs);
  expect_close(paged_batch(of, sequences).attend(with, rule), expected(of, sequences, rule),
               of.type == dtype::bf16 ? 2e-2 : 4e-3);
}

TEST(CudaAttention, AttendsWithHeadsOfAnySize) {
  auto device = on_small_device();
  for (const std::int32_t dim : {2, 6, 16, 40, 64, 80, 96, 128, 256})
    for (const dtype type : {dtype::bf16, dtype::f16})
      check(device, {{4, 2, dim}, 16, type}, {{0, 1}, {130, 1}, {0, 20}, {50, 20}}, {.scale = 0.1});
}

TEST(CudaAttention, SharesKeyHeadsAmongAnyNumberOfQueryHeads) {
  auto device = on_large_device();
  for (const std::int32_t group : {1, 2, 3, 4, 7, 8, 16, 70})
    check(device, {{2 * group, 2, 16}}, {{100, 1}, {3, 70}}, {.scale = 0.2});
}

TEST(CudaAttention, AttendsAroundTheEndsOfBlocksTilesAndSplits) {
  auto device = on_large_device();
  for (const std::int32_t block_tokens : {1, 7, 16, 64, 128})
    for (const std::int32_t first : {0, 15, 16, 62, 63, 64, 127, 128})
      check(device, {{2, 1, 16}, block_tokens}, {{first, 1}, {first, 66}}, {.scale = 0.2});
}

TEST(CudaAttention, LooksBackOverItsWindowOnly) {
  auto small = on_small_device(), large = on_large_device();
  for (const std::int32_t window : {1, 2, 16, 63, 64, 65, 100, 1000})
    for (paged_attention* const device : {&small, &large})
      check(*device, {{4, 2, 16}}, {{0, 1}, {200, 1}, {0, 150}, {190, 40}},
            {.scale = 0.2, .window = window});
}

TEST(CudaAttention, ReadsNothingThatAllItsWindowsHavePassed) {
  auto small = on_small_device(), large = on_large_device();
  const layer of{{4, 2, 16}};
  const attention_rule rule{.scale = 0.2, .window = 90};
  for (const run& rows : {run{300, 1}, run{290, 10}, run{153, 1}, run{154, 20}})
    for (paged_attention* const device : {&small, &large}) {
      paged_batch batch(of, {{rows, 1}});
      batch.forget(0, rows.first - 89);
      expect_close(batch.attend(*device, rule), expected(of, {{rows, 1}}, rule), 2e-2);
    }
}

TEST(CudaAttention, BoundsScoresWithTheSoftcap) {
  auto device = on_small_device();
  check(device, {{4, 2, 64}}, {{90, 1}, {0, 40}}, {.scale = 1, .softcap = 5});
  check(device, {{4, 2, 64}}, {{90, 1}, {0, 40}}, {.scale = 1, .window = 30, .softcap = 5});
}

TEST(CudaAttention, SurvivesScoresThatOverflowTheirExponentials) {
  auto device = on_large_device();
  check(device, {{2, 1, 64}}, {{150, 1}, {0, 10}}, {.scale = 40});
}

TEST(CudaAttention, AttendsInBatchesOfManySequences) {
  paged_attention device(60, 64);
  std::vector<run> runs;
  for (std::int32_t i = 0; i < 300; ++i)
    runs.push_back({i % 40 + (i % 50 < 4 ? 90 : 0), 1 + i % 3 / 2});
  check(device, {{4, 1, 16}}, runs, {.scale = 0.2});
}

TEST(CudaAttention, GoesThroughManySplits) {
  for (const std::int32_t multiprocessors : {1, 2, 12}) {
    paged_attention device(multiprocessors, 64);
    check(device, {{8, 2, 128}}, {{1000, 1}, {400, 5}}, {.scale = 0.1});
    check(device, {{2, 2, 256}}, {{300, 1}, {100, 70}}, {.scale = 0.06});
  }
}

TEST(CudaAttention, LeavesOutSequencesWithoutRows) {
  auto device = on_small_device();
  check(device, {{4, 2, 16}}, {{0, 3}, {5, 0}, {70, 2}}, {.scale = 0.2});
  EXPECT_TRUE(paged_batch({{4, 2, 16}}, {}).attend(device, {}).empty());
}

TEST(CudaAttention, GivesARowTheSameBitsHoweverTheWorkIsCut) {
  const std::vector<sequence_run> alone = {{{0, 200}, 1}};
  for (const std::int32_t window : {0, 100})
    for (const head_shape& shape : {head_shape{6, 2, 32}, head_shape{5, 1, 80}}) {
      SCOPED_TRACE(fmt::format("heads {} window {}", shape.heads, window));
      const layer of{shape};
      const attention_rule rule{.scale = 0.2, .window = window, .softcap = window > 0 ? 8.0 : 0.0};
      auto small = on_small_device(), large = on_large_device();
      const auto whole = paged_batch(of, alone).attend(small, rule);
      expect_same(paged_batch(of, alone).attend(large, rule), whole);
      const auto rows_of = [&](std::int64_t first, std::int64_t rows) {
        return std::vector<float>(whole.begin() + first * of.width(),
                                  whole.begin() + (first + rows) * of.width());
      };
      for (const run& chunk : {run{0, 1}, {64, 1}, {199, 1}, {100, 7}, {127, 73}}) {
        SCOPED_TRACE(fmt::format("{} rows from {}", chunk.rows, chunk.first));
        const auto want = rows_of(chunk.first, chunk.rows);
        expect_same(paged_batch(of, {{chunk, 1}}).attend(small, rule), want);
        expect_same(paged_batch(of, {{chunk, 1}}).attend(large, rule), want);
      }
      for (paged_attention* const device : {&small, &large}) {
        auto among = paged_batch(of, {{{63, 5}, 1}, {{300, 2}, 2}, {{0, 90}, 3}, {{10, 1}, 4}})
                         .attend(*device, rule);
        among.resize(size(5 * of.width()));
        expect_same(among, rows_of(63, 5));
      }
    }
}

// One sequence of four splits: cut into four where it is alone on many multiprocessors, walked
// through by one block among others like it.
TEST(CudaAttention, MergesSplitsInOneOrderInEveryBatch) {
  paged_attention large(60, 64), small(1, 64);
  const layer of{{64, 1, 64}};
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    const sequence_run sequence{{250, 1}, seed};
    const auto alone = paged_batch(of, {sequence}).attend(large, {.scale = 0.2});
    auto among = paged_batch(of, {sequence, {{250, 1}, 100}, {{250, 1}, 101}, {{250, 1}, 102}})
                     .attend(small, {.scale = 0.2});
    among.resize(alone.size());
    expect_same(among, alone);
  }
}

TEST(CudaAttention, RefusesHeadsThatItHasNoKernelFor) {
  auto device = on_small_device();
  for (const std::int32_t dim : {3, 258})
    EXPECT_THROW(paged_batch({{2, 2, dim}}, numbered({{0, 1}})).attend(device, {}),
                 std::invalid_argument);
  EXPECT_THROW(paged_attention(1, 100), std::invalid_argument);
}

} // namespace

} // namespace troupe
