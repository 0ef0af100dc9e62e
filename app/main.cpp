// The process around the program: its arguments, its environment, and the last catch.
#include "app/bench/offline.hpp"
#include "app/bench/serve.hpp"
#include "app/program.hpp"
#include "app/serve.hpp"

#include <exception>
#include <iostream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

troupe::environment_variables environment_of_process() {
  troupe::environment_variables variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos)
      variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

} // namespace

int main(int count, char** words) {
  try {
    const auto bench_offline = [](const auto& wanted, const auto& chosen) {
      return troupe::run_bench_offline(wanted, chosen, std::cout, std::cerr);
    };
    const troupe::program self{
        environment_of_process(), std::cout,    std::cerr, troupe::run_serve, troupe::run_chat,
        troupe::run_bench_serve,  bench_offline};
    const int status = troupe::run_program(self, {words + (count > 0 ? 1 : 0), words + count});
    if (std::cout.flush()) return status;
    std::cerr << "troupe: standard output cannot be written\n";
    return troupe::exit_failed;
  } catch (const std::exception& problem) {
    std::cerr << "troupe: " << problem.what() << '\n';
    return troupe::exit_failed;
  }
}
