// The program's own composition with a scripted executor, on a free port of the loopback.
#pragma once

#include "app/company.hpp"
#include "tests/system/scripted_executor.hpp"
#include "tests/system/slim_model.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace troupe {

class test_company {
 public:
  /// What the tests start from: little time for anything, and room for 1,024 sequences.
  static settings defaults();

  /// `lifetimes` are the steps that the first engines live for; those behind them live on.
  explicit test_company(settings chosen = defaults(), std::chrono::microseconds step_time = {},
                        std::optional<std::uint64_t> poisoned_seed = {},
                        std::uint32_t poisoned_after = 0,
                        std::vector<std::uint64_t> lifetimes = {});

  std::uint16_t port() const { return all_->port(); }
  const tokenizer& words() const { return *words_; }
  const script& says() const { return *script_; }
  /// The text that a request with this prompt and seed must get.
  std::string text(const token_ids& prompt, std::uint64_t seed, std::size_t tokens) const;

  /// Ends the executor that runs now, as a device's failure would.
  void kill_executor();
  int engines_made() const { return shared_->made; }
  company& all() { return *all_; }

  /// The sum of the metric's samples whose labels have `label` in their text.
  double metric(const std::string& name, const std::string& label = {}) const;
  /// Waits until no sequence and no block is in use; false where that takes longer than 20 s.
  bool comes_to_rest() const;

 private:
  struct shared {
    std::mutex guard;
    caf::actor_addr executor;
    std::atomic<int> made{0};
  };

  testing::temporary_folder folder_;
  std::shared_ptr<const tokenizer> words_;
  std::shared_ptr<const script> script_;
  std::shared_ptr<shared> shared_ = std::make_shared<shared>();
  std::unique_ptr<company> all_;
};

/// The sum over a metric's samples in Prometheus' text format.
double sum_of_metric(const std::string& text, const std::string& name, const std::string& label);

} // namespace troupe
