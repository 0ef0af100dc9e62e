// What one rendering has used of its limits. Every part of the engine that loops, nests or
// allocates asks here first, so that a hostile template ends in an error and never in a full
// memory, a full stack or a stuck thread.
#pragma once

#include "model/template/template_error.hpp"

#include <cstddef>
#include <stdexcept>
#include <string>

namespace troupe::jinja {

/// An error inside a rendering, without the line: the evaluator knows it and adds it.
class fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// raise_exception() of the template.
class refusal : public fault {
 public:
  using fault::fault;
};

class render_budget {
 public:
  explicit render_budget(const template_limits& limits) : limits_(limits) {}
  render_budget(const render_budget&) = delete;
  render_budget& operator=(const render_budget&) = delete;

  void step(std::size_t count = 1) {
    if (count > limits_.steps - steps_) fail_steps();
    steps_ += count;
  }

  /// Text that is copied or searched costs a step a KiB.
  void scan(std::size_t bytes) { step(bytes / 1024); }

  /// Memory that lives until give() or the end of the rendering; at most 16 times the output's
  /// limit.
  void take(std::size_t bytes) {
    if (bytes > limits_.output_bytes * 16 - taken_) fail_memory();
    taken_ += bytes;
  }
  void give(std::size_t bytes) noexcept { taken_ -= bytes; }

  /// A text of this many bytes may exist.
  void check_text(std::size_t bytes) const {
    if (bytes > limits_.output_bytes) fail_text();
  }

  /// The evaluator may recurse 20 levels for each level of nesting allowed.
  void enter(std::size_t levels) {
    if (depth_ + levels > limits_.nesting * 20) fail_depth();
    depth_ += levels;
  }
  void leave(std::size_t levels) noexcept { depth_ -= levels; }

 private:
  [[noreturn]] void fail_steps() const;
  [[noreturn]] void fail_memory() const;
  [[noreturn]] void fail_text() const;
  [[noreturn]] void fail_depth() const;

  template_limits limits_;
  std::size_t steps_ = 0;
  std::size_t taken_ = 0;
  std::size_t depth_ = 0;
};

/// A level of the evaluator's recursion; a function with a large frame counts as several.
class nested {
 public:
  explicit nested(render_budget& budget, std::size_t levels = 1)
      : budget_(budget), levels_(levels) {
    budget_.enter(levels_);
  }
  ~nested() { budget_.leave(levels_); }
  nested(const nested&) = delete;
  nested& operator=(const nested&) = delete;

 private:
  render_budget& budget_;
  std::size_t levels_;
};

} // namespace troupe::jinja
