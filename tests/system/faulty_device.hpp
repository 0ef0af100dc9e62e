// A device that fails for good in the midst of its work, as a GPU does after a kernel's bad access;
// the interpreter of kernels plays it.
#pragma once

#include "kernels/ops.hpp"

#include <memory>

namespace troupe {

/// A device that is whole, after another one failed too.
std::unique_ptr<backend> make_faulty_device();

/// Breaks it for good; the next call shows it.
void break_device();

} // namespace troupe
