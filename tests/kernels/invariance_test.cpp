// Batch invariance, bit for bit: a row's result is the same alone, in a batch, in chunks of any
// size, and on any number of threads.
#include "kernels/cpu/cpu_backend.hpp"
#include "tests/kernels/device.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

using invariance_test = device_test;

std::vector<float> some_rows(const std::vector<float>& all, std::int64_t cols, std::int64_t first,
                             std::int64_t rows) {
  return {all.begin() + first * cols, all.begin() + (first + rows) * cols};
}

TEST_P(invariance_test, MatmulGivesARowTheSameBitsInEveryBatch) {
  for (const dtype type : {dtype::bf16, dtype::f16, dtype::f32}) {
    const std::int64_t all = 200, n = 150, k = fitting(300);
    const auto weight = load_weight(*device_, random_floats(n * k, 1), n, k, type);
    const auto x = random_floats(all * k, 2);
    const auto multiply = [&](std::int64_t first, std::int64_t rows) {
      const device_matrix in(*device_, rows, k, some_rows(x, k, first, rows));
      const device_matrix out(*device_, rows, n);
      device_->matmul(out.view(), in.view(), weight.view, {});
      return out.read();
    };
    const auto whole = multiply(0, all);
    for (const std::int64_t rows : {1, 2, 5, 6, 7, 11, 12, 13, 64, 97})
      for (const std::int64_t first : {0, 1, 37, 103}) {
        SCOPED_TRACE(fmt::format("rows {} from {}", rows, first));
        expect_same(multiply(first, rows), some_rows(whole, n, first, rows));
      }
  }
}

TEST_P(invariance_test, RowOpsGiveARowTheSameBitsInEveryBatch) {
  const std::int64_t all = 64, n = fitting(203);
  const auto weight = load_vector(*device_, random_floats(n, 1));
  const auto gate_up = load_weight(*device_, random_floats(120 * n, 3, 0.1F), 120, n, dtype::bf16);
  const auto x = random_floats(all * n, 2);
  const auto gate = [&](std::int64_t first, std::int64_t rows) {
    const device_matrix in(*device_, rows, n, some_rows(x, n, first, rows));
    const device_matrix out(*device_, rows, 60), scratch(*device_, rows, 120);
    device_->gated_matmul(out.view(), in.view(), gate_up.view, {}, scratch.view());
    return out.read();
  };
  const auto norm = [&](std::int64_t first, std::int64_t rows) {
    const device_matrix in(*device_, rows, n, some_rows(x, n, first, rows));
    const device_matrix out(*device_, rows, n);
    device_->add_rms_norm(out.view(), in.view(), in.view(), weight.view, 1e-6F);
    return out.read();
  };
  const auto gates = gate(0, all), norms = norm(0, all);
  for (const std::int64_t row : {0, 1, 40, 63}) {
    expect_same(gate(row, 1), some_rows(gates, 60, row, 1));
    expect_same(norm(row, 1), some_rows(norms, n, row, 1));
  }
}

/// A sequence of rows run through norm_rope_store and attention in chunks.
class prefill {
 public:
  prefill(backend& device, const head_shape& shape, std::int32_t window, float softcap)
      : device_(device), shape_(shape), window_(window), softcap_(softcap),
        norm_(load_vector(device, random_floats(static_cast<std::size_t>(shape.head_dim), 9))) {}

  /// The attention's output for `runs`, each cut into chunks of `chunk` rows that are computed step
  /// by step, all runs of a step in one batch. Rows of the first run only.
  std::vector<float> first_run(const std::vector<std::int32_t>& lengths, std::int32_t chunk) const {
    const std::int64_t cols = std::int64_t{shape_.heads + 2 * shape_.kv_heads} * shape_.head_dim;
    const std::int64_t kv = std::int64_t{shape_.kv_heads} * shape_.head_dim;
    std::vector<run> whole;
    for (const auto length : lengths) whole.push_back({0, length});
    const std::int32_t blocks = device_batch(device_, whole, 16).blocks();
    const device_matrix keys(device_, blocks * 16, kv), values(device_, blocks * 16, kv);
    const kv_pages pages{keys.view(), values.view(), 16};
    std::vector<float> result;
    for (std::int32_t first = 0; first < lengths[0]; first += chunk) {
      std::vector<run> runs;
      std::vector<float> rows;
      for (std::size_t s = 0; s < lengths.size(); ++s) {
        const std::int32_t start = std::min(first, lengths[s] - 1);
        runs.push_back({start, std::min(chunk, lengths[s] - start)});
        const auto x = random_floats(static_cast<std::size_t>(lengths[s] * cols),
                                     static_cast<std::uint32_t>(s + 1));
        const auto part = some_rows(x, cols, start, runs.back().rows);
        rows.insert(rows.end(), part.begin(), part.end());
      }
      result = append(std::move(result), step(runs, rows, whole, pages), runs[0].rows);
    }
    return result;
  }

 private:
  std::vector<float> step(const std::vector<run>& runs, const std::vector<float>& rows,
                          const std::vector<run>& whole, const kv_pages& pages) const {
    // The tables of the whole runs, so that every step finds the blocks of the step before.
    const device_batch batch(device_, runs, 16), tables(device_, whole, 16);
    auto view = batch.view();
    view.block_tables = tables.view().block_tables;
    view.table_stride = tables.view().table_stride;
    const std::int64_t cols = std::int64_t{shape_.heads + 2 * shape_.kv_heads} * shape_.head_dim;
    const device_matrix qkv(device_, view.tokens, cols, rows);
    const device_matrix out(device_, view.tokens, std::int64_t{shape_.heads} * shape_.head_dim);
    std::vector<float> frequencies(static_cast<std::size_t>(shape_.head_dim / 2));
    for (std::size_t i = 0; i < frequencies.size(); ++i)
      frequencies[i] = 1.0F / static_cast<float>(1 + i);
    device_.norm_rope_store(qkv.view(), norm_.view, norm_.view, 1e-6F, {frequencies.data(), 1},
                            shape_, pages, view);
    device_.begin(view);
    device_.attention(out.view(), qkv.view(), shape_, pages, view, 0.3F, window_, softcap_);
    return out.read();
  }

  std::vector<float> append(std::vector<float> result, const std::vector<float>& out,
                            std::int32_t rows) const {
    result.insert(result.end(), out.begin(),
                  out.begin() + std::ptrdiff_t{rows} * shape_.heads * shape_.head_dim);
    return result;
  }

  backend& device_;
  head_shape shape_;
  std::int32_t window_;
  float softcap_;
  device_weight norm_;
};

TEST_P(invariance_test, PrefillGivesTheSameBitsInChunksOfAnySize) {
  for (const head_shape& shape : {head_shape{4, 2, 32}, head_shape{6, 1, 40}, head_shape{2, 2, 64}})
    for (const std::int32_t window : {0, 50}) {
      SCOPED_TRACE(fmt::format("heads {} dim {} window {}", shape.heads, shape.head_dim, window));
      const prefill model(*device_, shape, window, window > 0 ? 8.0F : 0.0F);
      const auto whole = model.first_run({150}, 150);
      std::vector<std::int32_t> chunks = {7, 65};
      if (!GetParam().slow) chunks.insert(chunks.end(), {1, 16, 63, 64, 100});
      for (const std::int32_t chunk : chunks) expect_same(model.first_run({150}, chunk), whole);
    }
}

TEST_P(invariance_test, PrefillGivesTheSameBitsAmongOtherSequences) {
  const prefill model(*device_, {4, 2, 32}, 0, 0);
  const auto alone = model.first_run({130}, 130);
  expect_same(model.first_run({130, 300, 5, 64}, 130), alone);
  expect_same(model.first_run({130, 1}, 33), alone);
  if (GetParam().slow) return;
  expect_same(model.first_run({130, 300, 5, 64}, 1), alone);
  expect_same(model.first_run(std::vector<std::int32_t>(40, 130), 1), alone);
}

INSTANTIATE_TEST_SUITE_P(devices, invariance_test, testing::ValuesIn(invariant_devices()),
                         name_of_device);

/// What one configuration computes, for comparing configurations.
std::vector<float> computed_by(backend& device) {
  const std::int64_t rows = 70, n = 200, k = 260;
  const auto weight = load_weight(device, random_floats(n * k, 1), n, k, dtype::bf16);
  const device_matrix x(device, rows, k, random_floats(rows * k, 2));
  const device_matrix out(device, rows, n);
  device.matmul(out.view(), x.view(), weight.view, {});
  auto result = out.read();
  const auto attended = prefill(device, {4, 2, 64}, 0, 0).first_run({200, 90}, 200);
  result.insert(result.end(), attended.begin(), attended.end());
  return result;
}

TEST(Invariance, GivesTheSameBitsOnAnyNumberOfThreads) {
  const auto one = computed_by(*make_cpu_backend({.threads = 1}));
  for (const int threads : {2, 3, 5})
    expect_same(computed_by(*make_cpu_backend({.threads = threads})), one);
}

} // namespace

} // namespace troupe
