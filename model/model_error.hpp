// What a model folder that cannot be served answers with. Thrown at start-up only: nothing on the
// path of a request throws it.
#pragma once

#include <stdexcept>

namespace troupe {

/// A model's file or folder is unusable; what() names the file, what is wrong and the limit.
class model_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

} // namespace troupe
