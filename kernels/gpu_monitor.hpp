// What the driver tells of its GPUs (NVML), for the metrics. The library comes with the driver and
// is looked for at run time: the program runs where there is none. Its few functions are declared
// here by hand, since CUDA's toolkit does not always bring their header.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// One GPU now. What its driver does not tell is absent.
struct gpu_reading {
  std::uint32_t index = 0; ///< as the driver counts
  std::string uuid;
  std::optional<double> utilisation; ///< share of the last moments in which a kernel ran; [0, 1]
  std::optional<double> memory_used_bytes;
  std::optional<double> memory_total_bytes;
  std::optional<double> power_watts;
  std::optional<double> energy_joules; ///< since the driver was loaded
  std::optional<double> temperature_celsius;
  std::optional<double> clock_hertz; ///< of the multiprocessors
  std::optional<double> memory_clock_hertz;
  std::optional<double> ecc_corrected;   ///< errors since the driver was loaded
  std::optional<double> ecc_uncorrected; ///< the same
};

class gpu_monitor {
 public:
  virtual ~gpu_monitor() = default;
  /// All GPUs that the driver shows. Takes some milliseconds; one caller at a time.
  virtual std::vector<gpu_reading> read() = 0;
};

/// Opens the driver's library; null where there is none, or it can't be used.
std::unique_ptr<gpu_monitor> open_gpu_monitor(const char* library = "libnvidia-ml.so.1");

} // namespace troupe
