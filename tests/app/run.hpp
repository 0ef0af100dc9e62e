// Runs the program inside the test: words in, both outputs, the status and what serve and chat were
// handed out.
#pragma once

#include "app/program.hpp"

#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace troupe {

struct outcome {
  int status = -1;
  std::string out;
  std::string err;
  std::optional<settings> served;
  std::optional<settings> chatted;
  std::optional<chat_options> chat;
  std::optional<bench_serve_options> bench;
  std::optional<bench_offline_options> bench_offline;
};

inline outcome run(const std::vector<std::string>& words,
                   const environment_variables& variables = {}) {
  outcome result;
  std::ostringstream out;
  std::ostringstream err;
  const auto serve = [&](const settings& chosen) {
    result.served = chosen;
    return exit_done;
  };
  const auto chat = [&](const chat_options& wanted, const settings& chosen) {
    result.chatted = chosen;
    result.chat = wanted;
    return exit_done;
  };
  const auto bench = [&](const bench_serve_options& wanted) {
    result.bench = wanted;
    return exit_done;
  };
  const auto bench_offline = [&](const bench_offline_options& wanted, const settings& chosen) {
    result.bench_offline = wanted;
    result.served = chosen;
    return exit_done;
  };
  result.status = run_program({variables, out, err, serve, chat, bench, bench_offline}, words);
  result.out = out.str();
  result.err = err.str();
  return result;
}

} // namespace troupe
