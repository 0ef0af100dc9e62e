// The runner keeps every slot's trouble to that slot: plans that contradict its table, stages that
// throw, logits that are not numbers.
#include "tests/model/poisoned_backend.hpp"
#include "tests/model/served.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace troupe {
namespace {

using testing::generate;
using testing::greedy;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::job;
using testing::loaded_model;
using testing::outcome;
using ::testing::SizeIs;
using testing::temporary_folder;

/// Throws at the first change of the block tables, before it is made.
class stumbling_backend : public testing::forwarding_backend {
 public:
  using forwarding_backend::forwarding_backend;

  void place(std::int32_t* table, const std::int32_t* changes, std::int32_t count) override {
    if (!std::exchange(stumbled_, true)) throw std::runtime_error("stumbled");
    forwarding_backend::place(table, changes, count);
  }

 private:
  bool stumbled_ = false;
};

/// A random model of two layers, 64 tokens and 128 positions.
class Runner : public ::testing::Test {
 protected:
  Runner() {
    folder_.write("config.json", testing::small_config().dump());
    folder_.write("model.safetensors", testing::safetensors_file(testing::small_weights()));
    model_ = std::make_unique<loaded_model>(folder_.path());
    restart({});
  }

  void restart(fault_probe probe) {
    runner_ = std::make_unique<runner>(model_->model, *model_->device, options_, std::move(probe));
  }

  static slot_open opening(slot_id slot, token_ids ids, sampling_params sampling = greedy()) {
    const auto n = static_cast<std::uint32_t>(ids.size());
    return {slot, slot + 100U, std::make_shared<const token_ids>(std::move(ids)), n,
            std::make_shared<const sampling_params>(std::move(sampling))};
  }

  static step_plan plan(std::vector<slot_open> opened, std::vector<table_growth> grown,
                        std::vector<slot_run> runs) {
    return {.incarnation = 3,
            .step = 9,
            .closed = {},
            .opened = std::move(opened),
            .grown = std::move(grown),
            .runs = std::move(runs)};
  }

  static slot_run whole(slot_id slot, std::uint32_t tokens) {
    return {.slot = slot, .first = 0, .tokens = tokens, .sample = true, .drafts = {}};
  }

  /// The error of one run on a slot with ids {3, 4, 5} and one block of 4 tokens, beside a sound
  /// one that must run whatever the first does.
  std::string error_beside_a_sound_slot(const slot_run& run) {
    restart({});
    const step_result r = runner_->run(plan({opening(0, {3, 4, 5}), opening(1, {7, 8})},
                                            {{0, {0}}, {1, {1}}}, {run, whole(1, 2)}));
    EXPECT_THAT(r.slots, SizeIs(2));
    EXPECT_EQ(r.slots[1].error, "");
    EXPECT_THAT(r.slots[1].tokens, SizeIs(1));
    EXPECT_THAT(r.slots[0].tokens, IsEmpty());
    return r.slots[0].error;
  }

  temporary_folder folder_;
  std::unique_ptr<loaded_model> model_;
  runner_options options_{.blocks = 32, .block_tokens = 4, .max_sequences = 8, .step_tokens = 24};
  std::unique_ptr<runner> runner_;
};

TEST_F(Runner, AnswersEveryRunWithItsSlotAndSequence) {
  const step_result r = runner_->run(plan({opening(0, {3, 4, 5}), opening(5, {7})},
                                          {{0, {0}}, {5, {1}}}, {whole(5, 1), whole(0, 3)}));
  EXPECT_EQ(r.incarnation, 3U);
  EXPECT_EQ(r.step, 9U);
  ASSERT_THAT(r.slots, SizeIs(2));
  EXPECT_EQ(r.slots[0].slot, 5U);
  EXPECT_EQ(r.slots[0].sequence, 105U);
  EXPECT_EQ(r.slots[1].sequence, 100U);
  EXPECT_THAT(r.slots[1].tokens, SizeIs(1));
}

TEST_F(Runner, RefusesRunsThatContradictTheSlotTable) {
  const auto run = [](slot_id slot, std::uint32_t first, std::uint32_t tokens, bool sample,
                      std::vector<token_id> drafts = {}) {
    return slot_run{slot, first, tokens, sample, std::move(drafts)};
  };
  EXPECT_THAT(error_beside_a_sound_slot(run(4, 0, 1, true)), HasSubstr("slot 4 is not open"));
  EXPECT_THAT(error_beside_a_sound_slot(run(4000, 0, 1, true)), HasSubstr("slot 4000 is not open"));
  EXPECT_THAT(error_beside_a_sound_slot(run(0, 0, 0, false)), HasSubstr("at least one token"));
  EXPECT_THAT(error_beside_a_sound_slot(run(0, 0, 4, true)), HasSubstr("3 tokens are known"));
  EXPECT_THAT(error_beside_a_sound_slot(run(0, 4294967295U, 4294967295U, true)),
              HasSubstr("3 tokens are known"));
  EXPECT_THAT(error_beside_a_sound_slot(run(0, 0, 2, true)), HasSubstr("last known token"));
  EXPECT_THAT(error_beside_a_sound_slot(run(0, 0, 2, false, {3})), HasSubstr("drafts need"));
  EXPECT_THAT(error_beside_a_sound_slot(run(0, 0, 3, true, {3, 4})), HasSubstr("1 blocks hold 4"));
  EXPECT_THAT(error_beside_a_sound_slot(run(0, 0, 3, true, {64})), HasSubstr("token id 64"));
  EXPECT_THAT(error_beside_a_sound_slot(run(0, 0, 3, true, {-1})), HasSubstr("token id -1"));
  EXPECT_THAT(error_beside_a_sound_slot(run(0, 0, 3, true, std::vector<token_id>(126, 3))),
              HasSubstr("the model has 128"));
}

TEST_F(Runner, RefusesARunThatLeavesAGap) {
  const slot_run chunk{.slot = 0, .first = 0, .tokens = 1, .sample = false, .drafts = {}};
  runner_->run(plan({opening(0, {3, 4, 5})}, {{0, {0}}}, {chunk}));
  const slot_run gap{.slot = 0, .first = 2, .tokens = 1, .sample = true, .drafts = {}};
  EXPECT_THAT(runner_->run(plan({}, {}, {gap})).slots[0].error, HasSubstr("the pages end at 1"));
}

TEST_F(Runner, RefusesSequencesThatCannotBe) {
  const auto error_of = [&](slot_open opened, std::vector<block_id> blocks = {0}) {
    restart({});
    return runner_->run(plan({std::move(opened)}, {{0, std::move(blocks)}}, {whole(0, 1)}))
        .slots[0]
        .error;
  };
  EXPECT_THAT(error_of(opening(0, {})), HasSubstr("at least one token"));
  EXPECT_THAT(error_of(opening(0, {64})), HasSubstr("token id 64 is not in [0, 64)"));
  EXPECT_THAT(error_of(opening(0, {3}), {32}), HasSubstr("block 32 is not in [0, 32)"));
  EXPECT_THAT(error_of(opening(0, {3}), {-1}), HasSubstr("block -1"));
  slot_open long_prompt = opening(0, {3});
  long_prompt.prompt_tokens = 2;
  EXPECT_THAT(error_of(long_prompt), HasSubstr("2 prompt tokens"));
  slot_open unset = opening(0, {3});
  unset.sampling = nullptr;
  EXPECT_THAT(error_of(unset), HasSubstr("sampling parameters"));
  sampling_params biased = greedy();
  biased.logit_bias = {{99, 1.0F}};
  EXPECT_THAT(error_of(opening(0, {3}, biased)), HasSubstr("token id 99"));
}

TEST_F(Runner, RefusesASlotThatIsTakenOrRunsTwice) {
  const step_result r =
      runner_->run(plan({opening(0, {3}), opening(0, {4})}, {{0, {0}}}, {whole(0, 1)}));
  EXPECT_THAT(r.slots[0].error, HasSubstr("while sequence 100 had it"));
  restart({});
  const step_result twice =
      runner_->run(plan({opening(0, {3})}, {{0, {0}}}, {whole(0, 1), whole(0, 1)}));
  EXPECT_EQ(twice.slots[0].error, "");
  EXPECT_THAT(twice.slots[1].error, HasSubstr("runs twice"));
}

TEST_F(Runner, RefusesTheRunsThatExceedTheStep) {
  const token_ids longer(20, 3);
  const step_result r = runner_->run(plan({opening(0, longer), opening(1, longer), opening(2, {3})},
                                          {{0, {0, 1, 2, 3, 4}}, {1, {5, 6, 7, 8, 9}}, {2, {10}}},
                                          {whole(0, 20), whole(1, 20), whole(2, 1)}));
  EXPECT_EQ(r.slots[0].error, "");
  EXPECT_THAT(r.slots[1].error, HasSubstr("its 20 rows exceed the 4 left of the step's 24"));
  EXPECT_EQ(r.slots[2].error, "");
}

TEST_F(Runner, KeepsAnErrorUntilTheSlotIsClosed) {
  const slot_run bad = whole(0, 2);
  runner_->run(plan({opening(0, {3})}, {{0, {0}}}, {bad}));
  EXPECT_NE(runner_->run(plan({}, {}, {whole(0, 1)})).slots[0].error, "");
  step_plan again = plan({opening(0, {3})}, {{0, {0}}}, {whole(0, 1)});
  again.closed = {0};
  EXPECT_EQ(runner_->run(again).slots[0].error, "");
}

TEST_F(Runner, AClosedSlotLeavesNothingToTheNextSequence) {
  const auto first_token = [&](bool used_before) {
    restart({});
    step_plan p = plan({opening(0, {9, 10})}, {{0, {7}}}, {whole(0, 2)});
    if (used_before) {
      runner_->run(plan({opening(0, {3, 4, 5})}, {{0, {7}}}, {whole(0, 3)}));
      p.closed = {0};
    }
    return runner_->run(p).slots[0].tokens.at(0).id;
  };
  EXPECT_EQ(first_token(true), first_token(false));
}

TEST_F(Runner, ASequenceThatComesBackToItsSlotReadsItsNewBlocksOnly) {
  // 100 was preempted and is computed again in the same slot, while its old blocks are 101's.
  const token_ids others = {11, 12, 13, 14, 15, 16};
  const auto tokens = [&](bool preempted) {
    restart({});
    if (preempted) runner_->run(plan({opening(0, {3, 4, 5, 6, 7})}, {{0, {1, 2}}}, {whole(0, 5)}));
    step_plan again = plan({opening(0, {3, 4, 5, 6, 7}), opening(1, others)},
                           {{0, {8, 9}}, {1, {1, 2}}}, {whole(0, 5), whole(1, 6)});
    if (preempted) again.closed = {0};
    std::vector<token_id> out;
    const auto take = [&](const step_result& result) {
      for (const slot_result& slot : result.slots) {
        EXPECT_EQ(slot.error, "");
        out.push_back(slot.tokens.at(0).id);
      }
    };
    take(runner_->run(again));
    take(runner_->run(plan({}, {}, {{0, 5, 1, true, {}}, {1, 6, 1, true, {}}})));
    return out;
  };
  EXPECT_EQ(tokens(true), tokens(false));
}

TEST_F(Runner, GoesOnWhereTablesCouldNotBeSentAtOnce) {
  std::vector<job> jobs;
  for (token_id i = 0; i < 4; ++i)
    jobs.push_back({.ids = {3 + i, 9, 11}, .sampling = greedy(), .new_tokens = 8});
  const auto expected = generate(*model_, jobs);
  const loaded_model stumbling(folder_.path(),
                               std::make_unique<stumbling_backend>(make_cpu_backend({})));
  const auto got = generate(stumbling, jobs);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].error, "") << i;
    EXPECT_EQ(got[i].tokens, expected[i].tokens) << i;
  }
}

TEST_F(Runner, AFaultOfOneSlotCostsNobodyElseAnything) {
  const auto jobs = [] {
    std::vector<job> out;
    for (token_id i = 0; i < 5; ++i)
      out.push_back({.ids = {3 + i, 9, 11}, .sampling = greedy(), .new_tokens = 8});
    return out;
  };
  const auto expected = generate(*model_, jobs());
  for (const std::string_view stage : {"open", "prepare", "sample"}) {
    const auto got = generate(*model_, jobs(), [&](std::string_view at, sequence_id sequence) {
      if (at == stage && sequence == 3) throw std::runtime_error("injected");
    });
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].error, i == 2 ? "injected" : "") << stage << i;
      if (i != 2) {
        EXPECT_EQ(got[i].tokens, expected[i].tokens) << stage << i;
      }
    }
  }
}

TEST_F(Runner, FindsTheSlotThatMakesASharedStageThrow) {
  std::vector<job> jobs;
  for (token_id i = 0; i < 7; ++i)
    jobs.push_back({.ids = {3 + i, i == 4 ? 63 : 9, 11}, .sampling = greedy(), .new_tokens = 8});
  const auto expected = generate(*model_, jobs);
  for (const outcome& o : expected)
    ASSERT_EQ(std::ranges::count(o.tokens, 63), 0) << "the poison must be in one prompt only";
  const loaded_model poisoned(
      folder_.path(), std::make_unique<testing::poisoned_backend>(make_cpu_backend({}), 63));
  const auto got = generate(poisoned, jobs);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].error, i == 4 ? "a poisoned batch" : "") << i;
    if (i != 4) {
      EXPECT_EQ(got[i].tokens, expected[i].tokens) << i;
    }
  }
}

TEST_F(Runner, LetsAFailureOfTheDeviceThrough) {
  auto device = std::make_unique<testing::poisoned_backend>(make_cpu_backend({}), 63);
  testing::poisoned_backend& poisoned = *device;
  const loaded_model model(folder_.path(), std::move(device));
  poisoned.fail_the_device();
  EXPECT_THROW(generate(model, {{.ids = {63}, .sampling = greedy(), .new_tokens = 1}}),
               device_error);
  EXPECT_EQ(poisoned.batches(), 1);
}

TEST_F(Runner, ReportsPromptLogprobsOfChunksAsOfTheWhole) {
  job whole_prompt{.ids = {3, 9, 11, 4, 8, 60, 2}, .sampling = greedy(), .new_tokens = 1};
  whole_prompt.sampling.prompt_logprobs = 2;
  job chunks = whole_prompt;
  chunks.chunk = 3;
  const outcome a = generate(*model_, {whole_prompt})[0];
  const outcome b = generate(*model_, {chunks})[0];
  ASSERT_THAT(a.prompt, SizeIs(6));
  ASSERT_THAT(b.prompt, SizeIs(6));
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(a.prompt[i].id, whole_prompt.ids[i + 1]);
    EXPECT_EQ(a.prompt[i].logprob, b.prompt[i].logprob);
    EXPECT_THAT(a.prompt[i].top, SizeIs(2));
    EXPECT_LE(a.prompt[i].logprob, a.prompt[i].top[0].second);
  }
}

TEST_F(Runner, RefusesOptionsThatAreNotPositive) {
  options_.blocks = 0;
  EXPECT_THROW(restart({}), std::invalid_argument);
}

/// Loading small_weights() with one value replaced; the error, or "".
std::string load_error(const std::string& tensor, std::size_t index, float value) {
  const temporary_folder folder;
  auto weights = testing::small_weights();
  weights.at(tensor).values.at(index) = value;
  folder.write("config.json", testing::small_config().dump());
  folder.write("model.safetensors", testing::safetensors_file(weights));
  return testing::error_of([&] { loaded_model{folder.path()}; });
}

TEST(Decoder, RefusesWeightsThatAreNotFiniteNamingTheTensor) {
  EXPECT_THAT(load_error("model.layers.1.mlp.up_proj.weight", 77, NAN),
              HasSubstr("model.layers.1.mlp.up_proj.weight holds NaN or an infinity"));
  EXPECT_THAT(load_error("model.embed_tokens.weight", 0, -INFINITY),
              HasSubstr("model.embed_tokens.weight holds NaN"));
  EXPECT_THAT(load_error("model.norm.weight", 31, INFINITY), HasSubstr("model.norm.weight holds"));
  EXPECT_EQ(load_error("model.norm.weight", 31, 1.0F), "");
}

TEST(Decoder, RefusesANormThatIsAllZero) {
  const temporary_folder folder;
  auto weights = testing::small_weights();
  std::ranges::fill(weights.at("model.layers.0.input_layernorm.weight").values, 0.0F);
  folder.write("config.json", testing::small_config().dump());
  folder.write("model.safetensors", testing::safetensors_file(weights));
  EXPECT_THAT(testing::error_of([&] { loaded_model{folder.path()}; }),
              HasSubstr("model.layers.0.input_layernorm.weight is all zero"));
}

TEST(Decoder, RefusesWeightsThatDoNotFitTheConfiguration) {
  const temporary_folder folder;
  folder.write("model.safetensors", testing::safetensors_file(testing::small_weights()));
  const auto refusal = [&](const char* key, const nlohmann::json& value) {
    nlohmann::json config = testing::small_config();
    config[key] = value;
    folder.write("config.json", config.dump());
    return testing::error_of([&] { loaded_model{folder.path()}; });
  };
  EXPECT_THAT(
      refusal("vocab_size", 65),
      HasSubstr("model.embed_tokens.weight has the shape [64, 32], config.json needs [65, 32]"));
  EXPECT_THAT(refusal("num_hidden_layers", 3),
              HasSubstr("no tensor model.layers.2.input_layernorm.weight"));
  EXPECT_THAT(refusal("tie_word_embeddings", false), HasSubstr("no tensor lm_head.weight"));
  EXPECT_THAT(refusal("attention_bias", true),
              HasSubstr("no tensor model.layers.0.self_attn.q_proj.bias"));
}

TEST(Decoder, LogitsThatOverflowEndTheirSequenceOnly) {
  const temporary_folder folder;
  folder.write("config.json", testing::small_config().dump());
  folder.write("model.safetensors", testing::safetensors_file(testing::overflowing_weights()));
  const loaded_model model(folder.path());
  const auto got = generate(model, {{.ids = {3, 40}, .sampling = greedy(), .new_tokens = 2},
                                    {.ids = {3, 4}, .sampling = greedy(), .new_tokens = 2}});
  EXPECT_THAT(got[0].error, HasSubstr("not finite"));
  EXPECT_EQ(got[1].error, "");
  EXPECT_THAT(got[1].tokens, SizeIs(2));
}

} // namespace
} // namespace troupe
