// How a template fails, and how much it may use before it is made to. A template comes with a model
// from elsewhere, so it is treated as a stranger's program: every quantity it can grow has a limit.
#pragma once

#include <cstddef>
#include <stdexcept>

namespace troupe {

struct template_limits {
  std::size_t nesting = 100; ///< depth of parentheses, blocks and macro calls.
  std::size_t steps =
      1'000'000; ///< nodes evaluated, items visited and KiB of text copied, in one rendering.
  std::size_t output_bytes =
      8U << 20U; ///< length of the output, and of every string on the way to it.
};

/// A template that cannot be parsed or rendered; the message names the line of the template and
/// what to do.
class template_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The template itself refused the conversation with raise_exception(); the message holds the
/// template's words.
class template_refusal : public template_error {
 public:
  using template_error::template_error;
};

} // namespace troupe
