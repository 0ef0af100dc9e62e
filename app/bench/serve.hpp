// The verb `bench serve`: a server under a load, measured from outside.
#pragma once

#include "app/bench/serve_options.hpp"

namespace troupe {

/// Returns the exit status: 0 after a measurement, 1 where none was possible, was interrupted, or
/// no request succeeded.
int run_bench_serve(const bench_serve_options& wanted);

} // namespace troupe
