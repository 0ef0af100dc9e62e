// The program without its process: arguments, environment and streams come in, the exit status goes
// out.
#pragma once

#include "app/bench/offline_options.hpp"
#include "app/bench/serve_options.hpp"
#include "app/chat.hpp"
#include "config/settings.hpp"
#include "config/sources.hpp"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace troupe {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2; ///< wrong words on the command line, or wrong settings

struct program {
  environment_variables variables;
  std::ostream& out;
  std::ostream& err;
  std::function<int(const settings&)> serve;
  std::function<int(const chat_options&, const settings&)> chat;
  std::function<int(const bench_serve_options&)> bench_serve;
  std::function<int(const bench_offline_options&, const settings&)> bench_offline;
};

/// Does what `words` (without the program's own name) say, and returns the exit status.
int run_program(const program& self, const std::vector<std::string>& words);

} // namespace troupe
