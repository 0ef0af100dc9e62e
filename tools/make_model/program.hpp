// The command line of make_model without its process: words come in, the exit status goes out.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// 0 done, 1 failed, 2 wrong usage. `columns` is the width of the terminal that `err` is: on it a
/// bar shows how far the work is.
int run_make_model(const std::vector<std::string>& words, std::ostream& out, std::ostream& err,
                   std::optional<std::size_t> columns);

} // namespace troupe
