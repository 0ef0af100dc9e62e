// A backend that computes as another does, except that the whole batch throws while a certain token
// is among its ids: a shared stage that fails because of one sequence without saying which.
#pragma once

#include "tests/model/forwarding_backend.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe::testing {

class poisoned_backend : public forwarding_backend {
 public:
  poisoned_backend(std::unique_ptr<backend> inner, token_id poison)
      : forwarding_backend(std::move(inner)), poison_(poison) {}

  /// How many batches were begun.
  int batches() const { return batches_; }
  /// From now on a poisoned batch is a failure of the device.
  void fail_the_device() { device_fails_ = true; }

  void embed(matrix out, const matrix& table, const token_id* ids) override {
    ++batches_;
    const bool poisoned = std::find(ids, ids + out.rows, poison_) != ids + out.rows;
    if (poisoned && device_fails_) throw device_error("the device is gone");
    if (poisoned) throw std::runtime_error("a poisoned batch");
    forwarding_backend::embed(out, table, ids);
  }

 private:
  token_id poison_;
  int batches_ = 0;
  bool device_fails_ = false;
};

} // namespace troupe::testing
