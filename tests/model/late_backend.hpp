// A backend whose work looks unfinished until somebody waits for it, as a device's does that
// computes beside the host: fences are not reached and samples not there, and who takes them all
// the same has waited, which is counted.
#pragma once

#include "tests/model/forwarding_backend.hpp"

#include <memory>

namespace troupe::testing {

class late_backend : public forwarding_backend {
 public:
  using forwarding_backend::forwarding_backend;

  /// How often samples were taken before the device had come so far.
  int waits() const { return clock_->waits; }
  /// Everything issued so far is done.
  void catch_up() { clock_->done = clock_->issued; }

  std::unique_ptr<fence> mark() override {
    return std::make_unique<late_fence>(clock_, forwarding_backend::mark());
  }
  std::unique_ptr<pending_samples> sample(const matrix& logits, std::span<const sample_row> rows,
                                          token_id* chosen) override {
    return std::make_unique<late_samples>(clock_, forwarding_backend::sample(logits, rows, chosen));
  }

 private:
  struct progress {
    int issued = 0;
    int done = 0;
    int waits = 0;
  };

  class late_fence : public fence {
   public:
    late_fence(std::shared_ptr<progress> clock, std::unique_ptr<fence> inner)
        : clock_(std::move(clock)), inner_(std::move(inner)), at_(++clock_->issued) {}
    bool reached() override { return clock_->done >= at_; }
    double seconds_since(const fence& earlier) const override {
      return inner_->seconds_since(*dynamic_cast<const late_fence&>(earlier).inner_);
    }

   private:
    std::shared_ptr<progress> clock_;
    std::unique_ptr<fence> inner_;
    int at_;
  };

  class late_samples : public pending_samples {
   public:
    late_samples(std::shared_ptr<progress> clock, std::unique_ptr<pending_samples> inner)
        : clock_(std::move(clock)), inner_(std::move(inner)), at_(++clock_->issued) {}
    std::vector<sampled_token> take() override {
      if (clock_->done < at_) {
        clock_->done = at_;
        ++clock_->waits;
      }
      return inner_->take();
    }

   private:
    std::shared_ptr<progress> clock_;
    std::unique_ptr<pending_samples> inner_;
    int at_;
  };

  std::shared_ptr<progress> clock_ = std::make_shared<progress>();
};

} // namespace troupe::testing
