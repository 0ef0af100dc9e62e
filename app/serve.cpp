// A build without an engine says so.
#include "app/serve.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace troupe {

int run_serve(const settings& chosen) {
  fmt::print(stderr, "troupe serve: this build has no engine to serve {} with\n",
             chosen.model.path);
  return 1;
}

} // namespace troupe
