#include "kernels/gpu_monitor.hpp"

#include <array>
#include <dlfcn.h>

namespace troupe {

namespace {

using device = void*; // nvmlDevice_t
constexpr int success = 0;

struct utilisation_rates {
  unsigned gpu = 0; // percent
  unsigned memory = 0;
};
struct memory_info {
  unsigned long long total = 0; // bytes
  unsigned long long free = 0;
  unsigned long long used = 0;
};

// Values of NVML's enumerations.
constexpr int sensor_of_gpu = 0;
constexpr int clock_of_multiprocessors = 1, clock_of_memory = 2;
constexpr int corrected = 0, uncorrected = 1;
constexpr int since_the_driver_was_loaded = 0;

struct close_library {
  void operator()(void* library) const { dlclose(library); }
};

/// A function of the library; absent where an old driver has none of that name.
template <class... Parameters>
class function {
 public:
  function(void* library, const char* name)
      : call_(reinterpret_cast<int (*)(Parameters...)>(dlsym(library, name))) {}
  explicit operator bool() const { return call_ != nullptr; }
  bool operator()(Parameters... arguments) const {
    return call_ != nullptr && call_(arguments...) == success;
  }

 private:
  int (*call_)(Parameters...);
};

/// A number that one of the functions gives, in units of `unit`.
template <class Number, class... Parameters, class... Arguments>
std::optional<double> number(const function<Parameters...>& get, double unit, device of,
                             Arguments... which) {
  Number value = 0;
  if (!get(of, which..., &value)) return std::nullopt;
  return static_cast<double>(value) * unit;
}

class nvml final : public gpu_monitor {
 public:
  explicit nvml(void* library)
      : library_(library), start_(library, "nvmlInit_v2"), stop_(library, "nvmlShutdown"),
        count_(library, "nvmlDeviceGetCount_v2"), handle_(library, "nvmlDeviceGetHandleByIndex_v2"),
        uuid_(library, "nvmlDeviceGetUUID"), utilisation_(library, "nvmlDeviceGetUtilizationRates"),
        memory_(library, "nvmlDeviceGetMemoryInfo"), power_(library, "nvmlDeviceGetPowerUsage"),
        energy_(library, "nvmlDeviceGetTotalEnergyConsumption"),
        temperature_(library, "nvmlDeviceGetTemperature"),
        clock_(library, "nvmlDeviceGetClockInfo"), ecc_(library, "nvmlDeviceGetTotalEccErrors"),
        started_(start_()) {}
  nvml(const nvml&) = delete;
  nvml& operator=(const nvml&) = delete;
  ~nvml() override {
    if (started_) stop_();
  }

  bool usable() const { return started_ && count_ && handle_; }

  std::vector<gpu_reading> read() override {
    unsigned count = 0;
    count_(&count);
    std::vector<gpu_reading> all;
    for (unsigned i = 0; i < count; ++i)
      if (device of = nullptr; handle_(i, &of)) all.push_back(read_one(i, of));
    return all;
  }

 private:
  gpu_reading read_one(unsigned index, device of) const {
    gpu_reading out;
    out.index = index;
    if (std::array<char, 96> text{}; uuid_(of, text.data(), static_cast<unsigned>(text.size())))
      out.uuid = text.data();
    if (utilisation_rates rates; utilisation_(of, &rates)) out.utilisation = rates.gpu / 100.0;
    if (memory_info memory; memory_(of, &memory)) {
      out.memory_used_bytes = static_cast<double>(memory.used);
      out.memory_total_bytes = static_cast<double>(memory.total);
    }
    out.power_watts = number<unsigned>(power_, 1e-3, of);
    out.energy_joules = number<unsigned long long>(energy_, 1e-3, of);
    out.temperature_celsius = number<unsigned>(temperature_, 1, of, sensor_of_gpu);
    out.clock_hertz = number<unsigned>(clock_, 1e6, of, clock_of_multiprocessors);
    out.memory_clock_hertz = number<unsigned>(clock_, 1e6, of, clock_of_memory);
    out.ecc_corrected =
        number<unsigned long long>(ecc_, 1, of, corrected, since_the_driver_was_loaded);
    out.ecc_uncorrected =
        number<unsigned long long>(ecc_, 1, of, uncorrected, since_the_driver_was_loaded);
    return out;
  }

  std::unique_ptr<void, close_library> library_;
  function<> start_;
  function<> stop_;
  function<unsigned*> count_;
  function<unsigned, device*> handle_;
  function<device, char*, unsigned> uuid_;
  function<device, utilisation_rates*> utilisation_;
  function<device, memory_info*> memory_;
  function<device, unsigned*> power_;
  function<device, unsigned long long*> energy_;
  function<device, int, unsigned*> temperature_;
  function<device, int, unsigned*> clock_;
  function<device, int, int, unsigned long long*> ecc_;
  bool started_;
};

} // namespace

std::unique_ptr<gpu_monitor> open_gpu_monitor(const char* library) {
  void* const opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) return nullptr;
  auto monitor = std::make_unique<nvml>(opened);
  if (!monitor->usable()) return nullptr;
  return monitor;
}

} // namespace troupe
