// The process around the program: its arguments, its environment, and the last catch.
#include "app/program.hpp"
#include "app/serve.hpp"

#include <exception>
#include <iostream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

troupe::environment process_environment() {
  troupe::environment variables;
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
    const troupe::program self{process_environment(), std::cout, std::cerr, troupe::run_serve,
                               troupe::run_chat};
    return troupe::run_program(self, {words + (count > 0 ? 1 : 0), words + count});
  } catch (const std::exception& problem) {
    std::cerr << "troupe: " << problem.what() << '\n';
    return troupe::exit_failed;
  }
}
