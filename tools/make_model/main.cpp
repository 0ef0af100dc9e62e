// The process around make_model.
#include "app/terminal.hpp"
#include "tools/make_model/program.hpp"

#include <iostream>
#include <unistd.h>

int main(int count, char** words) {
  return troupe::run_make_model({words + (count > 0 ? 1 : 0), words + count}, std::cout, std::cerr,
                                troupe::terminal_columns(STDERR_FILENO));
}
