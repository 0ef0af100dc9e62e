// Steps issued before the ones ahead of them are known: on a device that computes beside the host,
// nothing may wait, and everything must come out as if each step had been awaited.
#include "tests/model/late_backend.hpp"
#include "tests/model/served.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using testing::greedy;
using testing::late_backend;
using testing::loaded_model;

/// A random model of two layers, 64 tokens and 128 positions, on a device that lags behind.
class Pipeline : public ::testing::Test {
 protected:
  Pipeline() {
    folder_.write("config.json", testing::small_config().dump());
    folder_.write("model.safetensors", testing::safetensors_file(testing::small_weights()));
    use_model();
  }

  void use_model() {
    auto device = std::make_unique<late_backend>(make_cpu_backend({}));
    late_ = device.get();
    model_ = std::make_unique<loaded_model>(folder_.path(), std::move(device));
    runner_ = std::make_unique<runner>(
        model_->model, *late_,
        runner_options{.blocks = 32, .block_tokens = 16, .max_sequences = 4, .step_tokens = 24});
  }

  /// The prompts, each in a slot of its own with two blocks.
  static step_plan prompts(const std::vector<token_ids>& all, const sampling_params& sampling) {
    step_plan out;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto slot = static_cast<slot_id>(i);
      const auto tokens = static_cast<std::uint32_t>(all[i].size());
      out.opened.push_back({slot, i + 1, std::make_shared<const token_ids>(all[i]), tokens,
                            std::make_shared<const sampling_params>(sampling)});
      const auto block = static_cast<block_id>(2 * i);
      out.grown.push_back({slot, {block, block + 1}});
      out.runs.push_back({slot, 0, tokens, true, {}});
    }
    return out;
  }

  /// The token behind `before` new ones of each.
  static step_plan next(const std::vector<token_ids>& all, std::size_t before) {
    step_plan out;
    for (std::size_t i = 0; i < all.size(); ++i)
      out.runs.push_back({static_cast<slot_id>(i),
                          static_cast<std::uint32_t>(all[i].size() + before),
                          1,
                          true,
                          {}});
    return out;
  }

  /// What steps bring with up to `depth` of them under way.
  std::vector<token_ids> generate(const std::vector<token_ids>& all, std::size_t new_tokens,
                                  const sampling_params& sampling, std::size_t depth) {
    std::vector<token_ids> out(all.size());
    const auto collect = [&] {
      const auto result = runner_->collect();
      for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(result.slots.at(i).error, "");
        for (const auto& t : result.slots[i].tokens) out[i].push_back(t.id);
      }
    };
    for (std::size_t step = 0; step < new_tokens; ++step) {
      runner_->issue(step == 0 ? prompts(all, sampling) : next(all, step - 1));
      if (runner_->under_way() == depth) collect();
    }
    while (runner_->under_way() > 0) collect();
    step_plan closing;
    for (std::size_t i = 0; i < all.size(); ++i) closing.closed.push_back(static_cast<slot_id>(i));
    runner_->run(closing);
    return out;
  }

  testing::temporary_folder folder_;
  late_backend* late_ = nullptr;
  std::unique_ptr<loaded_model> model_;
  std::unique_ptr<runner> runner_;
  const std::vector<token_ids> three_ = {{3, 4, 5}, {7, 8}, {9, 1, 2, 6, 5, 4, 3}};
};

TEST_F(Pipeline, IssuesStepsWhoseTokensNobodyKnows) {
  runner_->issue(prompts(three_, greedy()));
  runner_->issue(next(three_, 0));
  runner_->issue(next(three_, 1));
  EXPECT_EQ(late_->waits(), 0);
  EXPECT_EQ(runner_->under_way(), 3U);
  EXPECT_FALSE(runner_->ready());
}

TEST_F(Pipeline, BringsTheSameTokensAsStepsThatAreAwaited) {
  sampling_params warm;
  warm.seed = 5;
  for (const auto& sampling : {greedy(), warm}) {
    const auto awaited = generate(three_, 20, sampling, 1);
    EXPECT_EQ(generate(three_, 20, sampling, 2), awaited);
    EXPECT_EQ(generate(three_, 20, sampling, 4), awaited);
    EXPECT_NE(awaited[0], awaited[1]);
  }
}

TEST_F(Pipeline, WaitsWherePenaltiesLookAtTheTokensBefore) {
  auto penalised = greedy();
  penalised.frequency_penalty = 1.5F;
  const auto awaited = generate(three_, 20, penalised, 1);
  EXPECT_NE(awaited, generate(three_, 20, greedy(), 1));
  EXPECT_EQ(generate(three_, 20, penalised, 3), awaited);
}

TEST_F(Pipeline, TakesWhatIsThereBeforeItIssues) {
  auto penalised = greedy();
  penalised.frequency_penalty = 1.5F;
  runner_->issue(prompts(three_, penalised));
  late_->catch_up();
  runner_->issue(next(three_, 0));
  EXPECT_EQ(late_->waits(), 0);
}

TEST_F(Pipeline, KeepsMinTokensWhereTokensAreUnknown) {
  auto sampling = greedy();
  const auto free = generate(three_, 4, sampling, 1);
  sampling.suppressed = {free[0][3]};
  sampling.min_tokens = 4;
  const auto awaited = generate(three_, 4, sampling, 1);
  EXPECT_NE(awaited[0][3], free[0][3]);
  EXPECT_EQ(generate(three_, 4, sampling, 3), awaited);
}

TEST_F(Pipeline, AwaitsHowManyDraftsWereAccepted) {
  const auto tokens = generate({three_[0]}, 6, greedy(), 1)[0];
  runner_->issue(prompts({three_[0]}, greedy()));
  step_plan drafting = next({three_[0]}, 0);
  drafting.runs[0].drafts = {tokens[1], tokens[2], 0};
  runner_->issue(drafting);
  runner_->issue(next({three_[0]}, 3)); // after two accepted drafts and one sampled token
  EXPECT_EQ(runner_->collect().slots[0].tokens.size(), 1U);
  EXPECT_EQ(runner_->collect().slots[0].tokens.size(), 3U);
  const auto last = runner_->collect();
  EXPECT_EQ(last.slots[0].error, "");
  EXPECT_EQ(last.slots[0].tokens.at(0).id, tokens[4]);
}

TEST_F(Pipeline, LeavesASlotAloneThatWasGivenAwayMeanwhile) {
  const auto alone = generate({three_[2]}, 2, greedy(), 1)[0];
  runner_->issue(prompts({three_[0]}, greedy()));
  auto other = prompts({three_[2]}, greedy());
  other.closed = {0};
  runner_->issue(other);
  runner_->issue(next({three_[2]}, 0));
  EXPECT_EQ(runner_->collect().slots[0].sequence, 1U);
  EXPECT_EQ(runner_->collect().slots[0].tokens.at(0).id, alone[0]);
  EXPECT_EQ(runner_->collect().slots[0].tokens.at(0).id, alone[1]);
}

TEST_F(Pipeline, RefusesARunBeyondTheTokensUnderWay) {
  runner_->issue(prompts({three_[0]}, greedy()));
  runner_->issue(next({three_[0]}, 1));
  EXPECT_EQ(runner_->collect().slots[0].error, "");
  EXPECT_EQ(runner_->collect().slots[0].error, "the run begins at position 4, the pages end at 3");
}

TEST_F(Pipeline, FailsWhatWasIssuedBehindLogitsThatAreNotNumbers) {
  folder_.write("model.safetensors", testing::safetensors_file(testing::overflowing_weights()));
  use_model();
  const std::vector<token_ids> two = {three_[0], {5, 40}};
  runner_->issue(prompts(two, greedy()));
  runner_->issue(next(two, 0));
  for (int step = 0; step < 2; ++step) {
    const auto result = runner_->collect();
    EXPECT_EQ(result.slots[0].error, "");
    EXPECT_EQ(result.slots[0].tokens.size(), 1U);
    EXPECT_EQ(result.slots[1].error, "the model's logits are not finite");
    EXPECT_TRUE(result.slots[1].tokens.empty());
  }
}

} // namespace
} // namespace troupe
