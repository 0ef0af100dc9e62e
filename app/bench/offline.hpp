// The verb `bench offline`: the engine alone, measured inside the process.
#pragma once

#include "app/bench/offline_options.hpp"
#include "config/settings.hpp"
#include "kernels/yardsticks.hpp"

#include <iosfwd>

namespace troupe {

/// The block of numbers goes to `out`, or to `err` where the JSON goes to `out`; what is under way
/// and what is wrong to `err`. Returns the exit status: 0 after a measurement, 1 where none was
/// possible. `sizes` are those of the yardsticks.
int run_bench_offline(const bench_offline_options& wanted, const settings& chosen,
                      std::ostream& out, std::ostream& err, const yardstick_sizes& sizes = {});

} // namespace troupe
