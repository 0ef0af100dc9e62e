// A row of logits has up to a few hundred thousand elements and is passed over two or three times a
// token: worth vectors. Sums are f64, since so many small numbers meet one that is large.
#include "kernels/cpu/logits.hpp"

#include "kernels/cpu/targets.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/logits.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include <algorithm>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace troupe::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using floats = hn::CappedTag<float, 16>;
constexpr std::size_t lanes = hn::MaxLanes(floats());

logits_peak peak(std::span<const float> logits) {
  const floats d;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto limit = hn::Set(d, infinity);
  auto highest = hn::Set(d, -infinity);
  auto good = hn::Eq(highest, highest);
  std::size_t i = 0;
  for (; i + lanes <= logits.size(); i += lanes) {
    const auto v = hn::LoadU(d, logits.data() + i);
    good = hn::And(good, hn::Lt(v, limit));
    highest = hn::Max(highest, v);
  }
  logits_peak result{hn::GetLane(hn::MaxOfLanes(d, highest)), hn::AllTrue(d, good)};
  for (; i < logits.size(); ++i) {
    result.finite = result.finite && logits[i] < infinity;
    result.highest = std::max(result.highest, logits[i]);
  }
  return result;
}

/// exp((logits - highest) * scale) of up to a block; returns the sum.
double exp_block(float* weights, const float* logits, std::size_t n, float highest, float scale) {
  const floats d;
  const hn::Rebind<double, hn::Half<floats>> wide;
  const auto peak = hn::Set(d, highest), factor = hn::Set(d, scale);
  auto low = hn::Zero(wide), high = hn::Zero(wide);
  for (std::size_t i = 0; i < n; i += lanes) {
    alignas(64) float padded[lanes];
    const bool whole = i + lanes <= n;
    if (!whole) {
      std::fill_n(padded, lanes, -std::numeric_limits<float>::infinity());
      std::copy(logits + i, logits + n, padded);
    }
    const auto v = hn::LoadU(d, whole ? logits + i : padded);
    const auto weight = hn::Exp(d, hn::Mul(hn::Sub(v, peak), factor));
    low = hn::Add(low, hn::PromoteTo(wide, hn::LowerHalf(weight)));
    high = hn::Add(high, hn::PromoteTo(wide, hn::UpperHalf(hn::Half<floats>(), weight)));
    if (weights == nullptr) continue;
    if (whole) {
      hn::StoreU(weight, d, weights + i);
    } else {
      hn::Store(weight, d, padded);
      std::copy_n(padded, n - i, weights + i);
    }
  }
  return hn::GetLane(hn::SumOfLanes(wide, hn::Add(low, high)));
}

} // namespace troupe::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace troupe {

HWY_EXPORT(peak);
HWY_EXPORT(exp_block);

logits_peak find_peak(std::span<const float> logits) { return HWY_DYNAMIC_DISPATCH(peak)(logits); }

double exponentials(std::span<float> weights, std::span<double> block_sums,
                    std::span<const float> logits, float highest, float scale) {
  double total = 0;
  for (std::size_t first = 0; first < logits.size(); first += exponential_block) {
    const std::size_t n = std::min(exponential_block, logits.size() - first);
    const double sum =
        HWY_DYNAMIC_DISPATCH(exp_block)(weights.empty() ? nullptr : weights.data() + first,
                                        logits.data() + first, n, highest, scale);
    if (!block_sums.empty()) block_sums[first / exponential_block] = sum;
    total += sum;
  }
  return total;
}

} // namespace troupe
#endif
