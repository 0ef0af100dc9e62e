#include "app/device_of.hpp"

#include "kernels/cpu/cpu_backend.hpp"
#ifdef TROUPE_CUDA
#include "kernels/cuda/cuda_backend.hpp"

#include <cstdlib>
#endif

namespace troupe {

namespace {

#ifdef TROUPE_CUDA
/// Where a user's programs keep what they can find out again; empty where there is no such place.
std::filesystem::path cache_folder() {
  const auto set = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::filesystem::path(value ? value : "");
  };
  if (const auto cache = set("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "troupe";
  if (const auto home = set("HOME"); home.is_absolute()) return home / ".cache/troupe";
  return {};
}
#endif

std::unique_ptr<backend> gpu_of([[maybe_unused]] const engine_settings& chosen,
                                [[maybe_unused]] dtype model_type) {
#ifdef TROUPE_CUDA
  if (chosen.device == device_kind::cuda || cuda_devices() > 0)
    return make_cuda_backend({model_type == dtype::f16 ? dtype::f16 : dtype::bf16,
                              chosen.deterministic, cache_folder()});
#else
  if (chosen.device == device_kind::cuda)
    throw device_error("engine.device: cuda was asked for and this program was built without it; "
                       "build it with cmake --preset cuda");
#endif
  return nullptr;
}

} // namespace

std::unique_ptr<backend> device_of(const engine_settings& chosen, dtype model_type) {
  if (chosen.device != device_kind::cpu)
    if (auto gpu = gpu_of(chosen, model_type)) return gpu;
  return make_cpu_backend({static_cast<int>(chosen.threads), chosen.pin_threads, {}});
}

} // namespace troupe
