#include "app/device_of.hpp"

#include "kernels/cpu/cpu_backend.hpp"

namespace troupe {

std::unique_ptr<backend> device_of(const engine_settings& chosen) {
  return make_cpu_backend({static_cast<int>(chosen.threads), chosen.pin_threads, {}});
}

} // namespace troupe
