// Finding out about a server what its measurement needs: the model's name, and what prompts can be
// made of.
#pragma once

#include "app/bench/prompt_writer.hpp"
#include "app/bench/serve_options.hpp"

#include <string>

namespace troupe {

struct bench_subject {
  std::string model;
  prompt_writer prompts;
  std::string kind; ///< of prompts: "ids", "words"
};

/// Asks the server, unless the options say everything. Throws std::runtime_error where it does not
/// answer, or names no model and the options do not either.
bench_subject find_subject(const bench_serve_options& wanted, std::uint64_t seed);

/// What GET of this path answers; empty where it is no 200.
std::string text_at(const bench_server& server, const std::string& path);

} // namespace troupe
