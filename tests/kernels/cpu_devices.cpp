// The CPU backend with few and many threads, and with each of its instruction sets.
#include "kernels/cpu/cpu_backend.hpp"
#include "tests/kernels/device.hpp"

#include <hwy/targets.h>

namespace troupe {

namespace {

/// A CPU backend that uses none of `forbidden` instruction sets, until the next one is made.
std::unique_ptr<backend> make_cpu(int threads, std::int64_t forbidden) {
  hwy::DisableTargets(forbidden);
  hwy::GetChosenTarget().DeInit();
  return make_cpu_backend({.threads = threads});
}

} // namespace

std::vector<device_case> device_cases() {
  std::vector<device_case> cases = {{"cpu_1_thread", [] { return make_cpu(1, 0); }},
                                    {"cpu_3_threads", [] { return make_cpu(3, 0); }}};
  const std::int64_t best = hwy::SupportedTargets();
  if ((best & HWY_AVX3) != 0) cases.push_back({"cpu_avx2", [] { return make_cpu(2, HWY_AVX3); }});
  if ((best & HWY_AVX2) != 0)
    cases.push_back({"cpu_sse4", [] { return make_cpu(2, HWY_AVX3 | HWY_AVX2); }});
  return cases;
}

} // namespace troupe
