#include "app/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace troupe {

std::optional<std::size_t> terminal_columns(int descriptor) {
  if (isatty(descriptor) == 0) return std::nullopt;
  winsize size{};
  const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : std::size_t{80};
}

} // namespace troupe
