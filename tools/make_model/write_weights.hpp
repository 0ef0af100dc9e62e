// Fills planned files with random weights, on all cores: each thread makes a piece in a buffer of
// its own and writes it to its place. Pieces go round all files in turn, since a file system lets
// one thread at a time write to one file.
#pragma once

#include "tools/make_model/random_weights.hpp"
#include "tools/make_model/weight_files.hpp"

#include <filesystem>
#include <functional>

namespace troupe {

/// So many bytes are written by now; called by one thread at a time.
using bytes_written = std::function<void(std::uint64_t bytes)>;

/// `threads` 0: one for each core. Throws std::system_error where a file cannot be written.
void write_weights(const std::filesystem::path& folder, const std::vector<weight_file>& files,
                   const std::vector<parameter>& parameters, const random_weights& source,
                   int threads, const bytes_written& progress);

} // namespace troupe
