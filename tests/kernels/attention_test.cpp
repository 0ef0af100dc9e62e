// Attention over scattered pages against the sum written out.
#include "tests/kernels/device.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

class attention_test : public device_test {
 protected:
  void check(const head_shape& shape, const std::vector<run>& runs, std::int32_t block_tokens,
             const reference::attention_rule& rule);
};

void attention_test::check(const head_shape& shape, const std::vector<run>& runs,
                           std::int32_t block_tokens, const reference::attention_rule& rule) {
  SCOPED_TRACE(fmt::format("heads {} kv {} dim {} block {} window {} softcap {}", shape.heads,
                           shape.kv_heads, shape.head_dim, block_tokens, rule.window,
                           rule.softcap));
  const device_batch batch(*device_, runs, block_tokens);
  const auto dim = static_cast<std::size_t>(shape.head_dim);
  const auto heads = static_cast<std::size_t>(shape.heads);
  const auto kv = static_cast<std::size_t>(shape.kv_heads);
  const std::size_t cols = (heads + 2 * kv) * dim, stride = kv * dim;
  const auto tokens = static_cast<std::size_t>(batch.view().tokens);
  const std::size_t page_rows = static_cast<std::size_t>(batch.blocks() * block_tokens);
  // Pages beyond what the sequences hold stay NaN: no op may read them into a result.
  std::vector<float> keys(page_rows * stride, std::numeric_limits<float>::quiet_NaN());
  auto values = keys;
  std::vector<std::vector<float>> own_keys, own_values;
  for (std::size_t s = 0; s < runs.size(); ++s) {
    const auto length = static_cast<std::size_t>(runs[s].first + runs[s].rows);
    const auto seed = static_cast<std::uint32_t>(10 + 2 * s);
    own_keys.push_back(
        as_type(random_floats(length * stride, seed), device_->activation_type()).values);
    own_values.push_back(
        as_type(random_floats(length * stride, seed + 1), device_->activation_type()).values);
    for (std::size_t p = 0; p < length; ++p) {
      const std::size_t to = batch.page_row(s, static_cast<std::int32_t>(p)) * stride;
      std::copy_n(own_keys[s].data() + p * stride, stride, keys.data() + to);
      std::copy_n(own_values[s].data() + p * stride, stride, values.data() + to);
    }
  }
  const device_matrix device_keys(*device_, static_cast<std::int64_t>(page_rows),
                                  static_cast<std::int64_t>(stride), keys);
  const device_matrix device_values(*device_, static_cast<std::int64_t>(page_rows),
                                    static_cast<std::int64_t>(stride), values);
  const device_matrix qkv(*device_, batch.view().tokens, static_cast<std::int64_t>(cols),
                          random_floats(tokens * cols, 4));
  const device_matrix out(*device_, batch.view().tokens, static_cast<std::int64_t>(heads * dim));
  device_->begin(batch.view());
  device_->attention(out.view(), qkv.view(), shape,
                     {device_keys.view(), device_values.view(), block_tokens}, batch.view(),
                     static_cast<float>(rule.scale), rule.window, static_cast<float>(rule.softcap));
  reference::doubles want;
  std::size_t row = 0;
  for (std::size_t s = 0; s < runs.size(); ++s)
    for (std::int32_t i = 0; i < runs[s].rows; ++i, ++row)
      for (std::size_t h = 0; h < heads; ++h) {
        const std::size_t shared = h / (heads / kv) * dim;
        const auto head = reference::attend(
            qkv.values().data() + row * cols + h * dim, own_keys[s].data() + shared,
            own_values[s].data() + shared, stride, dim, runs[s].first + i, rule);
        want.insert(want.end(), head.begin(), head.end());
      }
  expect_close(out.read(), want, tolerance(*device_));
}

TEST_P(attention_test, AttendsWithHeadsOfAnySize) {
  for (const std::int32_t dim : {2, 32, 40, 64, 80, 96, 128, 256})
    check({4, 2, dim}, {{0, 1}, {70, 1}, {0, 20}, {130, 9}}, 16, {.scale = 0.2});
}

TEST_P(attention_test, SharesKeyHeadsAmongAnyNumberOfQueryHeads) {
  for (const std::int32_t group : {1, 2, 4, 8, 16, 70})
    check({2 * group, 2, 32}, {{100, 1}, {3, 70}}, 16, {.scale = 0.2});
}

TEST_P(attention_test, AttendsAroundTheEndsOfBlocksAndTiles) {
  for (const std::int32_t block_tokens : {1, 8, 16, 32, 128})
    for (const std::int32_t first : {0, 1, 7, 8, 15, 16, 31, 63, 64, 65, 127, 128})
      check({2, 1, 64}, {{first, 1}, {first, 66}}, block_tokens, {.scale = 0.125});
}

TEST_P(attention_test, LooksBackOverItsWindowOnly) {
  for (const std::int32_t window : {1, 2, 16, 63, 64, 65, 100, 1000})
    check({4, 2, 64}, {{0, 1}, {200, 1}, {0, 150}, {190, 40}}, 16,
          {.scale = 0.125, .window = window});
}

TEST_P(attention_test, AttendsInBatchesOfManySingleRows) {
  std::vector<run> runs;
  for (std::int32_t i = 0; i < 40; ++i) runs.push_back({i * 5, 1});
  for (const head_shape& shape : {head_shape{8, 4, 32}, {6, 6, 40}, {32, 2, 64}, {140, 2, 16}})
    check(shape, runs, 16, {.scale = 0.2});
  runs.push_back({10, 30});
  check({8, 4, 32}, runs, 16, {.scale = 0.2, .window = 20});
}

TEST_P(attention_test, AttendsWithFewRowsBehindLongContexts) {
  const std::vector<run> runs = {{1500, 1}, {1490, 4}, {0, 2}, {700, 8}, {33, 30}, {5, 3}};
  for (const head_shape& shape : {head_shape{8, 2, 64}, {4, 2, 128}, {9, 1, 128}})
    for (const std::int32_t window : {0, 100})
      check(shape, runs, 32, {.scale = 0.1, .window = window});
}

TEST_P(attention_test, BoundsScoresWithTheSoftcap) {
  check({4, 2, 64}, {{90, 1}, {0, 40}}, 16, {.scale = 1, .softcap = 5});
  check({4, 2, 64}, {{90, 1}, {0, 40}}, 16, {.scale = 1, .window = 30, .softcap = 5});
}

TEST_P(attention_test, SurvivesScoresThatOverflowTheirExponentials) {
  check({2, 1, 64}, {{150, 1}, {0, 10}}, 16, {.scale = 40});
}

INSTANTIATE_TEST_SUITE_P(devices, attention_test, testing::ValuesIn(device_cases()),
                         name_of_device);

} // namespace

} // namespace troupe
