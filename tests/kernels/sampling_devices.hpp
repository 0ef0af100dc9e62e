// The devices on which sampling_test.cpp runs; each program that is made of it says which.
#pragma once

#include "tests/kernels/device.hpp"

namespace troupe {

std::vector<device_case> sampling_devices();
/// How many times fewer draws a test makes on them: some are slow.
int fewer_draws();

} // namespace troupe
