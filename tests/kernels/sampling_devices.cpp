// Sampling on every backend there is.
#include "tests/kernels/sampling_devices.hpp"

namespace troupe {

std::vector<device_case> sampling_devices() { return device_cases(); }
int fewer_draws() { return 1; }

} // namespace troupe
