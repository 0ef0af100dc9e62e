// The ops that go row by row: norms, rotation and the store into pages, and changes of tables.
#include "tests/kernels/device.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

class rows_test : public device_test {
 protected:
  void check_norm(std::int64_t rows, std::int64_t n, bool with_delta);
  void check_store(const head_shape& shape, std::int32_t block_tokens, bool with_norm,
                   std::int32_t more_rows = 0);
};

void rows_test::check_norm(std::int64_t rows, std::int64_t n, bool with_delta) {
  SCOPED_TRACE(fmt::format("rows {} n {} delta {}", rows, n, with_delta));
  const auto size = static_cast<std::size_t>(rows * n);
  const device_matrix residual(*device_, rows, n, random_floats(size, 1, 3));
  const device_matrix delta(*device_, rows, n, random_floats(size, 2));
  const auto weight = load_vector(*device_, random_floats(static_cast<std::size_t>(n), 3));
  const device_matrix out(*device_, rows, n);
  device_->add_rms_norm(out.view(), residual.view(), with_delta ? delta.view() : matrix{},
                        weight.view, 1e-5F);
  reference::doubles sums, normed;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    reference::doubles sum;
    for (std::size_t i = row * n; i < (row + 1) * n; ++i)
      sum.push_back(residual.values()[i] + (with_delta ? double{delta.values()[i]} : 0.0));
    const auto norm = reference::rms_norm(sum, weight.values, 1e-5);
    sums.insert(sums.end(), sum.begin(), sum.end());
    normed.insert(normed.end(), norm.begin(), norm.end());
  }
  expect_close(residual.read(), sums, tolerance(*device_));
  expect_close(out.read(), normed, tolerance(*device_));
}

TEST_P(rows_test, AddsAndNormalisesRowsOfAnyLength) {
  for (const std::int64_t n : {1, 2, 15, 16, 17, 31, 32, 33, 63, 100, 256, 1000})
    for (const std::int64_t rows : {1, 3, 64})
      for (const bool delta : {false, true}) check_norm(rows, fitting(n), delta);
}

TEST_P(rows_test, NormalisesTheRowsThatAreWantedAndLeavesAllAsTheyWere) {
  for (const std::int64_t n : {5, 256, 9000}) {
    const std::int64_t cols = fitting(n);
    const auto width = static_cast<std::size_t>(cols);
    const auto weight = load_vector(*device_, random_floats(width, 3));
    const device_matrix residual(*device_, 5, cols, random_floats(5 * width, 1));
    const device_matrix delta(*device_, 5, cols, random_floats(5 * width, 2));
    const std::vector<std::int32_t> rows = {4, 0, 0, 3};
    const device_array<std::int32_t> wanted(*device_, rows);
    const device_matrix out(*device_, 4, cols), all(*device_, 5, cols);
    const auto before = residual.read();
    device_->gather_rms_norm(out.view(), residual.view(), delta.view(), weight.view, 1e-6F,
                             wanted.data());
    const auto got = out.read();
    expect_same(residual.read(), before);
    device_->add_rms_norm(all.view(), residual.view(), delta.view(), weight.view, 1e-6F);
    const auto want = all.read();
    for (std::size_t row = 0; row < rows.size(); ++row)
      for (std::size_t i = 0; i < width; ++i)
        ASSERT_EQ(got[row * width + i], want[static_cast<std::size_t>(rows[row]) * width + i]);
  }
}

TEST_P(rows_test, NormalisesARowOfZerosToZeros) {
  const device_matrix residual(*device_, 1, 40, std::vector<float>(40));
  const auto weight = load_vector(*device_, std::vector<float>(40, 2));
  const device_matrix out(*device_, 1, 40);
  device_->add_rms_norm(out.view(), residual.view(), {}, weight.view, 1e-6F);
  expect_same(out.read(), std::vector<float>(40));
}

void rows_test::check_store(const head_shape& shape, std::int32_t block_tokens, bool with_norm,
                            std::int32_t more_rows) {
  SCOPED_TRACE(fmt::format("heads {} kv {} dim {} block {} norm {}", shape.heads, shape.kv_heads,
                           shape.head_dim, block_tokens, with_norm));
  const std::vector<run> runs = {{0, 1}, {7, 10 + more_rows}, {block_tokens - 1, 2}, {4000, 1}};
  const device_batch batch(*device_, runs, block_tokens);
  const auto dim = static_cast<std::size_t>(shape.head_dim);
  const auto heads = static_cast<std::size_t>(shape.heads),
             kv = static_cast<std::size_t>(shape.kv_heads);
  const std::size_t cols = (heads + 2 * kv) * dim;
  const auto tokens = static_cast<std::size_t>(batch.view().tokens);
  const device_matrix qkv(*device_, batch.view().tokens, static_cast<std::int64_t>(cols),
                          random_floats(tokens * cols, 4));
  const std::int64_t page_rows = std::int64_t{batch.blocks()} * block_tokens;
  const device_matrix keys(*device_, page_rows, static_cast<std::int64_t>(kv * dim));
  const device_matrix values(*device_, page_rows, static_cast<std::int64_t>(kv * dim));
  const auto query_norm = load_vector(*device_, random_floats(dim, 5));
  const auto key_norm = load_vector(*device_, random_floats(dim, 6));
  std::vector<float> frequencies(dim / 2);
  for (std::size_t i = 0; i < frequencies.size(); ++i)
    frequencies[i] = std::pow(10000.0F, -2.0F * static_cast<float>(i) / static_cast<float>(dim));
  device_->norm_rope_store(qkv.view(), with_norm ? query_norm.view : matrix{},
                           with_norm ? key_norm.view : matrix{}, 1e-6F, {frequencies.data(), 1.2F},
                           shape, {keys.view(), values.view(), block_tokens}, batch.view());
  const auto head = [&](std::size_t row, std::size_t index, const std::vector<float>& norm,
                        int position) {
    const float* const from = qkv.values().data() + row * cols + index * dim;
    reference::doubles x(from, from + dim);
    if (with_norm) x = reference::rms_norm(x, norm, 1e-6);
    return reference::rotate(x, frequencies, 1.2F, position);
  };
  const auto got = qkv.read(), got_keys = keys.read(), got_values = values.read();
  const auto slice = [](const std::vector<float>& from, std::size_t first, std::size_t n) {
    return std::vector<float>(from.begin() + static_cast<std::ptrdiff_t>(first),
                              from.begin() + static_cast<std::ptrdiff_t>(first + n));
  };
  std::size_t row = 0;
  for (std::size_t s = 0; s < runs.size(); ++s)
    for (std::int32_t i = 0; i < runs[s].rows; ++i, ++row) {
      const int position = runs[s].first + i;
      const std::size_t place = batch.page_row(s, position);
      for (std::size_t h = 0; h < heads; ++h)
        expect_close(slice(got, row * cols + h * dim, dim),
                     head(row, h, query_norm.values, position), tolerance(*device_));
      for (std::size_t h = 0; h < kv; ++h)
        expect_close(slice(got_keys, (place * kv + h) * dim, dim),
                     head(row, heads + h, key_norm.values, position), tolerance(*device_));
      expect_same(slice(got_values, place * kv * dim, kv * dim),
                  slice(qkv.values(), row * cols + (heads + kv) * dim, kv * dim));
    }
  const auto written = [](const std::vector<float>& page) {
    return std::count_if(page.begin(), page.end(), [](float value) { return !std::isnan(value); });
  };
  EXPECT_EQ(written(got_keys), static_cast<std::ptrdiff_t>(tokens * kv * dim));
  EXPECT_EQ(written(got_values), static_cast<std::ptrdiff_t>(tokens * kv * dim));
}

TEST_P(rows_test, RotatesHeadsOfAnySizeAndStoresThemInTheirBlocks) {
  for (const std::int32_t dim : {32, 40, 64, 80, 96, 128, 256}) check_store({4, 2, dim}, 16, true);
}

TEST_P(rows_test, RotatesAndStoresTheHeadsOfManyTokens) {
  check_store({4, 2, 128}, 16, true, 60);
  check_store({3, 1, 40}, 16, false, 53);
  check_store({8, 1, 64}, 16, true, 117);
}

TEST_P(rows_test, RotatesATokenToTheSameBitsAmongMany) {
  constexpr std::int32_t tokens = 70, heads = 3, kv = 1, dim = 64, cols = (heads + 2 * kv) * dim;
  const auto x = random_floats(std::size_t{tokens} * cols, 3);
  const auto norm = load_vector(*device_, random_floats(dim, 4));
  std::vector<float> frequencies(dim / 2, 0.37F);
  const auto in_chunks = [&](std::int32_t rows) {
    std::vector<float> all;
    for (std::int32_t first = 0; first < tokens; first += rows) {
      const device_batch batch(*device_, {{first, rows}}, 16);
      const device_matrix qkv(*device_, rows, cols,
                              {x.begin() + first * cols, x.begin() + (first + rows) * cols});
      const device_matrix keys(*device_, batch.blocks() * 16, kv * dim),
          values(*device_, batch.blocks() * 16, kv * dim);
      device_->norm_rope_store(qkv.view(), norm.view, norm.view, 1e-6F, {frequencies.data(), 1},
                               {heads, kv, dim}, {keys.view(), values.view(), 16}, batch.view());
      const auto got = qkv.read(), pages = keys.read();
      for (std::int32_t row = 0; row < rows; ++row) {
        const auto from = got.begin() + row * cols;
        all.insert(all.end(), from, from + heads * dim);
        const auto place = batch.page_row(0, first + row);
        const auto page = pages.begin() + static_cast<std::ptrdiff_t>(place) * kv * dim;
        all.insert(all.end(), page, page + kv * dim);
      }
    }
    return all;
  };
  EXPECT_EQ(in_chunks(tokens), in_chunks(1));
}

TEST_P(rows_test, StoresIntoBlocksOfAnySize) {
  for (const std::int32_t block_tokens : {1, 8, 16, 32})
    for (const bool norm : {false, true}) check_store({8, 1, 64}, block_tokens, norm);
}

TEST_P(rows_test, RotatesTheSameBufferAgainByItsNewPositions) {
  // Same addresses, other contents: what was computed for one step must not serve the next.
  const std::vector<float> frequencies = {1.0F, 0.1F};
  const auto x = random_floats(12, 3);
  for (const std::int32_t position : {3, 9, 3}) {
    const device_batch batch(*device_, {{position, 1}}, 16);
    const device_matrix qkv(*device_, 1, 12, x);
    const device_matrix keys(*device_, batch.blocks() * 16, 4),
        values(*device_, batch.blocks() * 16, 4);
    device_->norm_rope_store(qkv.view(), {}, {}, 0, {frequencies.data(), 1}, {1, 1, 4},
                             {keys.view(), values.view(), 16}, batch.view());
    auto got = qkv.read();
    got.resize(4);
    expect_close(got,
                 reference::rotate({qkv.values().begin(), qkv.values().begin() + 4}, frequencies, 1,
                                   position),
                 tolerance(*device_));
  }
}

TEST_P(rows_test, PlacesChangesAndLeavesTheOtherEntriesAsTheyWere) {
  constexpr std::int32_t poison = -7;
  for (const std::int32_t count : {1, 33, 1000}) {
    SCOPED_TRACE(count);
    // Every third entry, in no order.
    std::vector<std::int32_t> want(static_cast<std::size_t>(3 * count), poison), offsets, changes;
    for (std::int32_t i = 0; i < count; ++i) offsets.push_back(3 * i + 1);
    std::shuffle(offsets.begin(), offsets.end(), std::mt19937(1));
    const device_array<std::int32_t> table(*device_, want);
    for (const std::int32_t offset : offsets) {
      want[static_cast<std::size_t>(offset)] = 1'000'000 + offset;
      changes.insert(changes.end(), {offset, 1'000'000 + offset});
    }
    const device_array<std::int32_t> pairs(*device_, changes);
    device_->place(table.data(), pairs.data(), count);
    EXPECT_EQ(table.read(), want);
  }
}

INSTANTIATE_TEST_SUITE_P(devices, rows_test, testing::ValuesIn(device_cases()), name_of_device);

} // namespace

} // namespace troupe
