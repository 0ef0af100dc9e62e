// Matmul, attention, sampling and the cost of a parallel region on the CPU backend. Matmul and
// attention report the share of the machine's limit, measured in the same benchmark: memory for few
// rows, multiply-adds for many.
#include "kernels/cpu/cpu_backend.hpp"
#include "tests/bench/kernels/peak.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>

namespace troupe {

namespace {

std::vector<float> random_floats(std::size_t n) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(n);
  for (float& value : values) value = normal(generator);
  return values;
}

/// A matrix of random f32 on a backend.
struct filled_matrix {
  filled_matrix(backend& device, std::int64_t rows, std::int64_t cols)
      : data(device.allocate(static_cast<std::size_t>(rows * cols) * 4)), view{data.get(),
                                                                               dtype::f32, rows,
                                                                               cols} {
    const auto values = random_floats(static_cast<std::size_t>(rows * cols));
    device.upload(data.get(), values.data(), values.size() * 4);
  }

  memory data;
  matrix view;
};

/// Arguments: threads, rows, n, k. bf16 weights.
void matmul(benchmark::State& state) {
  const auto threads = static_cast<int>(state.range(0));
  const std::int64_t rows = state.range(1), n = state.range(2), k = state.range(3);
  const auto device = make_cpu_backend({.threads = threads});
  const std::vector<std::uint16_t> values(static_cast<std::size_t>(n * k), 0x3F80);
  const host_matrix part{values.data(), dtype::bf16, n, k};
  const auto [weight, data] = device->load_weight({&part, 1});
  const filled_matrix x(*device, rows, k), out(*device, rows, n);
  for (auto _ : state) device->matmul(out.view, x.view, weight, {});
  thread_pool pool({.threads = threads});
  const double runs = static_cast<double>(state.iterations());
  const auto rate = [](double count) {
    return benchmark::Counter(count, benchmark::Counter::kIsRate);
  };
  state.counters["bytes/s"] = rate(2.0 * static_cast<double>(n * k) * runs);
  state.counters["flop/s"] = rate(2.0 * static_cast<double>(rows * n * k) * runs);
  state.counters["read"] = measure_read(pool);
  state.counters["copy"] = measure_copy(pool);
  state.counters["fma"] = measure_flops(pool);
}

BENCHMARK(matmul)
    ->ArgsProduct({{1, 2}, {1, 2, 4, 8, 64, 512}, {8192}, {4096}})
    ->ArgsProduct({{1, 2}, {1, 8, 64, 512}, {1536}, {256}})
    ->ArgsProduct({{1, 2}, {1, 8, 64}, {4096}, {256}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

/// Arguments: threads, sequences, rows of each, context before them, head_dim. 8 heads on 4.
void attention(benchmark::State& state) {
  const auto sequences = static_cast<std::int32_t>(state.range(1));
  const auto rows = static_cast<std::int32_t>(state.range(2));
  const auto context = static_cast<std::int32_t>(state.range(3));
  const auto dim = static_cast<std::int32_t>(state.range(4));
  const head_shape shape{8, 4, dim};
  const auto device = make_cpu_backend({.threads = static_cast<int>(state.range(0))});
  const std::int32_t stride = (context + rows + 15) / 16;
  std::vector<std::int32_t> table, first_row{0}, positions, sequence_of;
  for (std::int32_t s = 0; s < sequences; ++s) {
    for (std::int32_t i = 0; i < stride; ++i) table.push_back(s * stride + i);
    for (std::int32_t i = 0; i < rows; ++i) {
      positions.push_back(context + i);
      sequence_of.push_back(s);
    }
    first_row.push_back(first_row.back() + rows);
  }
  std::shuffle(table.begin(), table.end(), std::mt19937(1));
  const std::int64_t tokens = first_row.back();
  const filled_matrix keys(*device, std::int64_t{stride} * sequences * 16, 4 * dim);
  const filled_matrix values(*device, std::int64_t{stride} * sequences * 16, 4 * dim);
  const filled_matrix qkv(*device, tokens, 16 * dim), out(*device, tokens, 8 * dim);
  batch_view batch;
  batch.tokens = static_cast<std::int32_t>(tokens);
  batch.sequences = sequences;
  batch.positions = positions.data();
  batch.sequence_of = sequence_of.data();
  batch.first_row = first_row.data();
  batch.table_of = sequence_of.data();
  batch.block_tables = table.data();
  batch.table_stride = stride;
  for (auto _ : state)
    device->attention(out.view, qkv.view, shape, {keys.view, values.view, 16}, batch, 0.125F, 0, 0);
  const double seen = static_cast<double>(tokens) * (context + (rows + 1) / 2.0);
  state.counters["flop/s"] = benchmark::Counter(
      4.0 * seen * 8 * dim * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["kv bytes/s"] = benchmark::Counter(8.0 * sequences * (context + rows) * 4 * dim *
                                                        static_cast<double>(state.iterations()),
                                                    benchmark::Counter::kIsRate);
}

BENCHMARK(attention)
    ->ArgsProduct({{1, 2}, {64}, {1}, {500}, {32, 64, 128}})
    ->ArgsProduct({{1, 2}, {1}, {1}, {4000}, {64}})
    ->ArgsProduct({{1, 2}, {1}, {512}, {0, 2048}, {32, 64, 128}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

/// Arguments: threads, vocabulary, kind: greedy, plain, top_k 50, top_p 0.9, all with logprobs.
void sampling(benchmark::State& state) {
  const std::int64_t vocab = state.range(1);
  const auto device = make_cpu_backend({.threads = static_cast<int>(state.range(0))});
  const filled_matrix logits(*device, 64, vocab);
  for (std::int64_t i = 0; i < logits.view.rows * vocab; ++i)
    static_cast<float*>(logits.view.data)[i] *= 4;
  sampling_params params;
  if (state.range(2) == 0) params.temperature = 0;
  if (state.range(2) == 2) params.top_k = 50;
  if (state.range(2) == 3) params.top_p = 0.9F;
  if (state.range(2) == 4) {
    params.top_k = 50;
    params.top_p = 0.9F;
    params.logprobs = 5;
  }
  std::vector<sample_row> rows(64);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].logits_row = static_cast<std::int32_t>(i);
    rows[i].params = &params;
    rows[i].position = static_cast<std::uint32_t>(i);
  }
  for (auto _ : state) benchmark::DoNotOptimize(device->sample(logits.view, rows, nullptr)->take());
}

BENCHMARK(sampling)
    ->ArgsProduct({{1, 2}, {4096, 128 * 1024}, {0, 1, 2, 3, 4}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

/// Arguments: threads.
void parallel_region(benchmark::State& state) {
  thread_pool pool({.threads = static_cast<int>(state.range(0))});
  for (auto _ : state)
    pool.parallel_for(16, 1,
                      [](std::int64_t begin, std::int64_t) { benchmark::DoNotOptimize(begin); });
}

BENCHMARK(parallel_region)->Arg(1)->Arg(2)->UseRealTime();

} // namespace

} // namespace troupe

BENCHMARK_MAIN();
