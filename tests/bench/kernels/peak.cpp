// The best of a few short runs, so that one that was interrupted does not count.
#include "tests/bench/kernels/peak.hpp"

#include "kernels/cpu/targets.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/kernels/peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <cstring>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace troupe::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using floats = hn::CappedTag<float, 16>;

/// Returns a value that depends on everything computed, and the operations done.
std::pair<float, double> multiply_add(std::int64_t rounds) {
  constexpr int chains = 12;
  const floats d;
  hn::Vec<floats> sums[chains];
  for (auto& sum : sums) sum = hn::Set(d, 1.0F);
  const auto factor = hn::Set(d, 0.999999F);
  for (std::int64_t i = 0; i < rounds; ++i)
    for (auto& sum : sums) sum = hn::MulAdd(sum, factor, factor);
  auto total = hn::Zero(d);
  for (const auto& sum : sums) total = hn::Add(total, sum);
  return {hn::GetLane(hn::SumOfLanes(d, total)),
          2.0 * chains * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds)};
}

/// Reads n floats.
float add_up(const float* p, std::int64_t n) {
  const floats d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<floats> sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  for (std::int64_t i = 0; i + 4 * step <= n; i += 4 * step)
    for (int j = 0; j < 4; ++j) sums[j] = hn::Add(sums[j], hn::LoadU(d, p + i + j * step));
  return hn::GetLane(
      hn::SumOfLanes(d, hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]))));
}

} // namespace troupe::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace troupe {

HWY_EXPORT(multiply_add);
HWY_EXPORT(add_up);

namespace {

constexpr std::int64_t buffer_floats = std::int64_t{32} << 20;
constexpr std::int64_t piece = std::int64_t{1} << 18;

/// The highest of units / seconds over a few runs.
template <class F>
double best_rate(double units, F&& f) {
  double best = 0;
  for (int run = 0; run < 7; ++run) {
    const auto start = std::chrono::steady_clock::now();
    f();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::max(best, units / taken.count());
  }
  return best;
}

} // namespace

double measure_flops(thread_pool& pool) {
  constexpr std::int64_t rounds = 200000;
  const std::int64_t pieces = 16 * pool.size();
  const double operations = HWY_DYNAMIC_DISPATCH(multiply_add)(1).second * rounds;
  std::atomic<float> sink{0};
  return best_rate(operations * static_cast<double>(pieces), [&] {
    pool.parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        sink = HWY_DYNAMIC_DISPATCH(multiply_add)(rounds).first;
    });
  });
}

double measure_read(thread_pool& pool) {
  const std::vector<float> from(buffer_floats, 1);
  std::atomic<float> sink{0};
  return best_rate(4.0 * buffer_floats, [&] {
    pool.parallel_for(buffer_floats / piece, 1, [&](std::int64_t begin, std::int64_t end) {
      sink = HWY_DYNAMIC_DISPATCH(add_up)(from.data() + begin * piece, (end - begin) * piece);
    });
  });
}

double measure_copy(thread_pool& pool) {
  const std::vector<float> from(buffer_floats, 1);
  std::vector<float> to(buffer_floats);
  return best_rate(8.0 * buffer_floats, [&] {
    pool.parallel_for(buffer_floats / piece, 1, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(to.data() + begin * piece, from.data() + begin * piece,
                  static_cast<std::size_t>(end - begin) * piece * 4);
    });
  });
}

} // namespace troupe
#endif
