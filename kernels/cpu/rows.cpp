// Elements beyond the last whole vector go through a padded copy, so that an element's arithmetic
// depends on its column only.
#include "kernels/cpu/rows.hpp"

#include "kernels/cpu/targets.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include <algorithm>
#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace troupe::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using floats = hn::CappedTag<float, 16>;
using vector = hn::Vec<floats>;
constexpr std::int64_t lanes = hn::MaxLanes(floats());

/// The first n < lanes elements, the others 0.
vector load_some(const float* p, std::int64_t n) {
  alignas(64) float padded[lanes] = {};
  std::copy_n(p, n, padded);
  return hn::Load(floats(), padded);
}

void store_some(vector v, float* p, std::int64_t n) {
  alignas(64) float padded[lanes];
  hn::Store(v, floats(), padded);
  std::copy_n(padded, n, p);
}

/// out[i] = f(in[i]…) over n elements.
template <class F, class... In>
HWY_INLINE void map(float* out, std::int64_t n, F&& f, const In*... in) {
  const floats d;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, in + i)...), d, out + i);
  if (i < n) store_some(f(load_some(in + i, n - i)...), out + i, n - i);
}

float inverse_rms(const float* x, std::int64_t n, float epsilon) {
  const floats d;
  auto even = hn::Zero(d), odd = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto a = hn::LoadU(d, x + i), b = hn::LoadU(d, x + i + lanes);
    even = hn::MulAdd(a, a, even);
    odd = hn::MulAdd(b, b, odd);
  }
  for (; i < n; i += lanes) {
    const auto a = i + lanes <= n ? hn::LoadU(d, x + i) : load_some(x + i, n - i);
    even = hn::MulAdd(a, a, even);
  }
  const float squares = hn::GetLane(hn::SumOfLanes(d, hn::Add(even, odd)));
  return 1.0F / std::sqrt(squares / static_cast<float>(n) + epsilon);
}

void normalise(float* out, const float* x, const float* weight, std::int64_t n, float epsilon) {
  const auto factor = hn::Set(floats(), inverse_rms(x, n, epsilon));
  map(
      out, n, [&](vector a, vector w) { return hn::Mul(hn::Mul(a, factor), w); }, x, weight);
}

void add_norm(float* out, float* residual, const float* delta, const float* weight, std::int64_t n,
              float epsilon) {
  if (delta != nullptr)
    map(
        residual, n, [](vector a, vector b) { return hn::Add(a, b); }, residual, delta);
  normalise(out, residual, weight, n, epsilon);
}

void norm_rope(float* head, const float* weight, std::int64_t n, float epsilon,
               const float* cosines, const float* sines) {
  if (weight != nullptr) normalise(head, head, weight, n, epsilon);
  const floats d;
  const std::int64_t half = n / 2;
  for (std::int64_t i = 0; i < half; i += lanes) {
    const std::int64_t count = std::min(lanes, half - i);
    const auto some = [&](const float* p) {
      return count == lanes ? hn::LoadU(d, p) : load_some(p, count);
    };
    const auto a = some(head + i), b = some(head + half + i);
    const auto cosine = some(cosines + i), sine = some(sines + i);
    store_some(hn::NegMulAdd(b, sine, hn::Mul(a, cosine)), head + i, count);
    store_some(hn::MulAdd(a, sine, hn::Mul(b, cosine)), head + half + i, count);
  }
}

void silu_mul(float* out, const float* gate, const float* up, std::int64_t n) {
  const floats d;
  const auto one = hn::Set(d, 1.0F);
  const auto most = hn::Set(d, 88.0F); // whose exponential is still finite
  map(
      out, n,
      [&](vector g, vector u) {
        return hn::Mul(hn::Div(g, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(g), most)))), u);
      },
      gate, up);
}

} // namespace troupe::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace troupe {

HWY_EXPORT(add_norm);
HWY_EXPORT(norm_rope);
HWY_EXPORT(silu_mul);

void add_rms_norm_row(float* out, float* residual, const float* delta, const float* weight,
                      std::int64_t n, float epsilon) {
  HWY_DYNAMIC_DISPATCH(add_norm)(out, residual, delta, weight, n, epsilon);
}

void norm_rope_head(float* head, const float* weight, std::int64_t n, float epsilon,
                    const float* cosines, const float* sines) {
  HWY_DYNAMIC_DISPATCH(norm_rope)(head, weight, n, epsilon, cosines, sines);
}

void silu_mul_row(float* out, const float* gate, const float* up, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(silu_mul)(out, gate, up, n);
}

} // namespace troupe
#endif
