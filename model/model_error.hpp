// What is thrown when a model's files cannot be served. It happens while loading, so an exception
// is right: nothing is being answered yet, and its text is what the operator reads.
#pragma once

#include <stdexcept>

namespace troupe {

/// A model folder or file that cannot be used. The text names the file, the field and what is wrong
/// with it.
class model_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

} // namespace troupe
