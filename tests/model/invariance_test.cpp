// A sequence's tokens are its own: the same alone or among others, in chunks or whole, from pages
// that another filled, after a preemption, and with drafts of any quality; greedy and sampled.
#include "tests/model/served.hpp"

#include <gtest/gtest.h>

#include <random>

namespace troupe {
namespace {

using testing::generate;
using testing::greedy;
using testing::job;
using testing::loaded_model;
using testing::outcome;

/// The demo model, which is loaded once for all tests.
const loaded_model& concierge() {
  static const loaded_model model(TROUPE_EXAMPLES "/models/concierge");
  return model;
}

sampling_params sampled(std::uint64_t seed) {
  sampling_params out;
  out.temperature = 0.9F;
  out.top_p = 0.95F;
  out.repetition_penalty = 1.1F;
  out.frequency_penalty = 0.2F;
  out.seed = seed;
  return out;
}

token_ids prompt_of(std::size_t length, unsigned seed) {
  std::mt19937 random(seed);
  token_ids out;
  for (std::size_t i = 0; i < length; ++i)
    out.push_back(static_cast<token_id>(5 + random() % 4000));
  return out;
}

constexpr std::size_t new_tokens = 24;

/// The job under test: greedy, or seeded.
job subject(bool random) {
  return {.ids = prompt_of(45, 1),
          .sampling = random ? sampled(11) : greedy(),
          .new_tokens = new_tokens};
}

token_ids alone(bool random) { return generate(concierge(), {subject(random)})[0].tokens; }

/// A plan of one run, with what comes before it.
step_plan plan_of(slot_run run, std::vector<slot_open> opened = {},
                  std::vector<table_growth> grown = {}) {
  step_plan out;
  out.opened = std::move(opened);
  out.grown = std::move(grown);
  out.runs = {std::move(run)};
  return out;
}

class Invariance : public ::testing::TestWithParam<bool> {};

TEST_P(Invariance, TokensAreTheSameInABatchOfSixtyFour) {
  std::vector<job> jobs;
  for (unsigned i = 0; i < 64; ++i)
    jobs.push_back({.ids = prompt_of(1 + 7 * i % 90, 100 + i),
                    .sampling = i % 3 ? sampled(i) : greedy(),
                    .new_tokens = 4 + i % 20,
                    .chunk = 1 + i % 40,
                    .first_step = i % 9});
  jobs[37] = subject(GetParam());
  jobs[37].first_step = 3;
  EXPECT_EQ(generate(concierge(), jobs)[37].tokens, alone(GetParam()));
}

TEST_P(Invariance, TokensAreTheSameInChunks) {
  for (const std::uint32_t chunk : {1U, 7U, 16U, 44U}) {
    job j = subject(GetParam());
    j.chunk = chunk;
    EXPECT_EQ(generate(concierge(), {j})[0].tokens, alone(GetParam())) << chunk;
  }
}

TEST_P(Invariance, TokensAreTheSameAfterAPreemption) {
  const token_ids expected = alone(GetParam());
  for (const std::size_t emitted : {1U, 10U, 23U}) {
    job j = subject(GetParam());
    j.prompt_tokens = j.ids.size();
    j.ids.insert(j.ids.end(), expected.begin(),
                 expected.begin() + static_cast<std::ptrdiff_t>(emitted));
    j.new_tokens = new_tokens - emitted;
    const token_ids rest(expected.begin() + static_cast<std::ptrdiff_t>(emitted), expected.end());
    EXPECT_EQ(generate(concierge(), {j})[0].tokens, rest) << emitted;
  }
}

TEST_P(Invariance, TokensAreTheSameOnPagesThatAnotherSequenceFilled) {
  const runner_options options{
      .blocks = 64, .block_tokens = 16, .max_sequences = 2, .step_tokens = 128};
  runner r(concierge().model, *concierge().device, options);
  const job j = subject(GetParam());
  const auto open = [&](slot_id slot) {
    return slot_open{slot, slot + 1, std::make_shared<const token_ids>(j.ids), 45,
                     std::make_shared<const sampling_params>(j.sampling)};
  };
  r.run(plan_of({0, 0, 45, true, {}}, {open(0)}, {{0, {9, 4, 30}}}));
  // The second sequence shares the two full blocks and computes from position 32 on.
  step_result last = r.run(plan_of({1, 32, 13, true, {}}, {open(1)}, {{1, {9, 4, 17, 18, 19}}}));
  token_ids got{last.slots.at(0).tokens.at(0).id};
  while (got.size() < new_tokens) {
    last = r.run(plan_of({1, static_cast<std::uint32_t>(44 + got.size()), 1, true, {}}));
    got.push_back(last.slots.at(0).tokens.at(0).id);
  }
  EXPECT_EQ(got, alone(GetParam()));
}

/// With drafts that are right up to the first position of each step's that `wrong` chooses.
outcome drafted(bool random, const token_ids& expected,
                const std::function<bool(std::size_t)>& wrong) {
  job j = subject(random);
  j.drafts = [&](const token_ids& generated) {
    std::vector<token_id> out;
    for (std::size_t i = generated.size(); i < std::min(expected.size(), generated.size() + 4); ++i)
      out.push_back(wrong(i) ? (expected[i] + 1) % 4096 : expected[i]);
    return out;
  };
  outcome out = generate(concierge(), {j})[0];
  out.tokens.resize(std::min(out.tokens.size(), new_tokens));
  return out;
}

TEST_P(Invariance, TokensAreTheSameWithDrafts) {
  const token_ids expected = alone(GetParam());
  const outcome right = drafted(GetParam(), expected, [](std::size_t) { return false; });
  EXPECT_EQ(right.tokens, expected);
  EXPECT_EQ(right.steps, 5U) << "each step accepts four drafts and samples one";
  const outcome wrong = drafted(GetParam(), expected, [](std::size_t) { return true; });
  EXPECT_EQ(wrong.tokens, expected);
  EXPECT_EQ(wrong.steps, new_tokens);
  const outcome mixed = drafted(GetParam(), expected, [](std::size_t i) { return i % 3 == 1; });
  EXPECT_EQ(mixed.tokens, expected);
  EXPECT_LT(mixed.steps, new_tokens);
}

INSTANTIATE_TEST_SUITE_P(Sampling, Invariance, ::testing::Values(false, true),
                         [](const auto& p) { return p.param ? "Seeded" : "Greedy"; });

} // namespace
} // namespace troupe
