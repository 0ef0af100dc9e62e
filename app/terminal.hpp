// What is asked of a terminal.
#pragma once

#include <cstddef>
#include <optional>

namespace troupe {

/// Its width in characters; nothing where the descriptor is no terminal.
std::optional<std::size_t> terminal_columns(int descriptor);

} // namespace troupe
