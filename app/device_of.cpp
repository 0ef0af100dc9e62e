#include "app/device_of.hpp"

#include "kernels/cpu/cpu_backend.hpp"
#ifdef TROUPE_CUDA
#include "kernels/cuda/cuda_backend.hpp"
#endif

namespace troupe {

namespace {

std::unique_ptr<backend> gpu_of([[maybe_unused]] const engine_settings& chosen,
                                [[maybe_unused]] dtype model_type) {
#ifdef TROUPE_CUDA
  if (chosen.device == device_kind::cuda || cuda_devices() > 0)
    return make_cuda_backend(
        {model_type == dtype::f16 ? dtype::f16 : dtype::bf16, chosen.deterministic});
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
