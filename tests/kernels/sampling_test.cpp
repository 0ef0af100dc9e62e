// Sampling against the distribution that its rules describe, worked out the long way: every rule in
// order over the whole, sorted vocabulary.
#include "kernels/sampling.hpp"
#include "tests/kernels/device.hpp"

#include <map>
#include <numeric>

namespace troupe {

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

/// What a test samples from.
struct situation {
  std::vector<float> logits;
  sampling_params params;
  std::vector<token_id> ids;
  std::uint32_t prompt_tokens = 0;
  std::vector<float> mask;
  bool suppress = false;

  sample_row row(std::uint32_t position) const {
    sample_row row;
    row.params = &params;
    row.position = position;
    row.ids = ids;
    row.prompt_tokens = prompt_tokens;
    row.allowed_mask = mask;
    row.suppress = suppress;
    return row;
  }
};

/// The logits after everything that comes before the temperature.
reference::doubles adjusted(const situation& s) {
  reference::doubles logits(s.logits.begin(), s.logits.end());
  for (const auto& [id, bias] : s.params.logit_bias) logits[static_cast<std::size_t>(id)] += bias;
  if (s.suppress)
    for (const token_id id : s.params.suppressed) logits[static_cast<std::size_t>(id)] = -inf;
  for (std::size_t i = 0; i < s.mask.size(); ++i) logits[i] += s.mask[i];
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const auto id = static_cast<token_id>(i);
    const auto generated = std::count(s.ids.begin() + s.prompt_tokens, s.ids.end(), id);
    if (std::find(s.ids.begin(), s.ids.end(), id) != s.ids.end())
      logits[i] = logits[i] > 0 ? logits[i] / s.params.repetition_penalty
                                : logits[i] * s.params.repetition_penalty;
    logits[i] -= s.params.frequency_penalty * static_cast<double>(generated);
    logits[i] -= generated > 0 ? s.params.presence_penalty : 0;
  }
  return logits;
}

/// Each token's probability of being chosen.
reference::doubles distribution(const situation& s) {
  reference::doubles p = adjusted(s);
  const double highest = *std::max_element(p.begin(), p.end());
  for (double& x : p) x = std::exp((x - highest) / s.params.temperature);
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] > p[b]; });
  for (double& x : p)
    if (x < s.params.min_p) x = 0;
  if (s.params.top_k > 0)
    for (std::size_t i = static_cast<std::size_t>(s.params.top_k); i < order.size(); ++i)
      p[order[i]] = 0;
  const double kept = std::accumulate(p.begin(), p.end(), 0.0);
  double sum = 0;
  for (const std::size_t i : order) {
    if (sum >= s.params.top_p * kept) p[i] = 0;
    sum += p[i];
  }
  const double total = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= total;
  return p;
}

class sampling_test : public device_test {
 protected:
  std::vector<sampled_token> sample(const situation& s, std::vector<sample_row> rows) {
    const device_matrix logits(*device_, 1, static_cast<std::int64_t>(s.logits.size()), s.logits,
                               dtype::f32);
    return device_->sample(logits.view(), rows, nullptr)->take();
  }
  sampled_token sample_one(const situation& s, std::uint32_t position = 0) {
    return sample(s, {s.row(position)}).at(0);
  }
  /// Draws at many positions and holds the counts against the distribution (Pearson's chi-square,
  /// four standard deviations above its mean; rare tokens share a cell).
  void check(const situation& s, int draws = 20000);
};

void sampling_test::check(const situation& s, int draws) {
  if (GetParam().slow) draws /= 10;
  const auto p = distribution(s);
  std::vector<sample_row> rows;
  for (int i = 0; i < draws; ++i) rows.push_back(s.row(static_cast<std::uint32_t>(i)));
  std::vector<int> counts(p.size());
  for (const sampled_token& token : sample(s, rows)) {
    ASSERT_TRUE(token.finite);
    ++counts.at(static_cast<std::size_t>(token.id));
  }
  double chi = 0, rare_expected = 0;
  int cells = 0, rare = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] == 0) {
      ASSERT_EQ(counts[i], 0) << "token " << i << " had no chance";
    }
    const double expected = p[i] * draws;
    if (expected < 10) {
      rare_expected += expected;
      rare += counts[i];
      continue;
    }
    ++cells;
    chi += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  if (rare_expected > 5) {
    ++cells;
    chi += (rare - rare_expected) * (rare - rare_expected) / rare_expected;
  }
  const double freedom = cells - 1;
  EXPECT_LE(chi, freedom + 4 * std::sqrt(2 * freedom) + 1e-9) << cells << " cells";
}

situation some_situation(std::size_t vocab = 60) {
  situation s;
  s.logits = random_floats(vocab, 3, 2);
  s.params.seed = 0x123456789ABCDEF;
  s.ids = {1, 2, 3, 3, 7, 7, 7, 20, 21, 22};
  s.prompt_tokens = 4;
  return s;
}

TEST_P(sampling_test, DrawsFromTheSoftmaxAtEveryTemperature) {
  for (const float temperature : {0.3F, 1.0F, 2.0F}) {
    auto s = some_situation();
    s.params.temperature = temperature;
    check(s);
  }
}

TEST_P(sampling_test, DrawsFromVocabulariesAroundABlock) {
  for (const std::size_t vocab : {23, 1023, 1024, 1025, 3000}) check(some_situation(vocab));
}

TEST_P(sampling_test, KeepsTheTopKTokens) {
  for (const std::int32_t k : {1, 2, 10, 59, 60, 1000}) {
    auto s = some_situation();
    s.params.top_k = k;
    check(s);
  }
}

TEST_P(sampling_test, KeepsTheSmallestSetThatReachesTopP) {
  for (const float p : {0.01F, 0.5F, 0.9F, 0.999F}) {
    auto s = some_situation();
    s.params.top_p = p;
    check(s);
    auto wide = some_situation(3000); // more than the first guess of how many reach it
    wide.params.top_p = p;
    wide.params.temperature = 2;
    check(wide);
  }
}

TEST_P(sampling_test, CutsAtEveryTopP) {
  auto s = some_situation();
  s.params.temperature = 2; // many tokens of nearly the same probability
  for (int percent = 1; percent < 100; ++percent) {
    s.params.top_p = static_cast<float>(percent) / 100;
    ++s.params.seed;
    check(s, 1000);
  }
}

TEST_P(sampling_test, KeepsTokensWithMinPOfTheHighestProbability) {
  for (const float p : {0.01F, 0.2F, 1.0F}) {
    auto s = some_situation();
    s.params.min_p = p;
    check(s);
  }
}

TEST_P(sampling_test, AppliesItsRulesTogether) {
  auto s = some_situation();
  s.params.temperature = 1.5F;
  s.params.top_k = 20;
  s.params.top_p = 0.8F;
  s.params.min_p = 0.02F;
  check(s);
  s.params.top_k = 0;
  check(s);
  s.params.repetition_penalty = 1.3F;
  s.params.presence_penalty = 0.7F;
  s.params.frequency_penalty = 0.4F;
  s.params.logit_bias = {{5, 3.0F}, {6, -100.0F}};
  check(s);
}

TEST_P(sampling_test, PenalisesTokensSeen) {
  auto s = some_situation();
  s.params.repetition_penalty = 1.5F;
  check(s);
  s.params.repetition_penalty = 1;
  s.params.presence_penalty = 1.5F;
  check(s);
  s.params.presence_penalty = 0;
  s.params.frequency_penalty = -0.5F;
  check(s);
}

TEST_P(sampling_test, AddsTheBiasAndTheMask) {
  auto s = some_situation();
  s.params.logit_bias = {{0, 2.5F}, {59, 3}, {10, -100}};
  check(s);
  s.mask.assign(60, -inf);
  for (const std::size_t id : {4, 10, 59}) s.mask[id] = 0;
  check(s);
}

TEST_P(sampling_test, HoldsBackTokensUntilEnoughWereGenerated) {
  auto s = some_situation();
  s.params.suppressed = {7, 30};
  s.logits[30] = 9;
  s.suppress = true;
  check(s);
  s.suppress = false;
  check(s);
}

TEST_P(sampling_test, TakesTheLowestOfTheHighestAtTemperatureZero) {
  situation s;
  s.params.temperature = 0;
  s.logits.assign(100, 0.25F);
  EXPECT_EQ(sample_one(s).id, 0);
  s.logits[41] = s.logits[77] = 3;
  EXPECT_EQ(sample_one(s).id, 41);
  s.params.logit_bias = {{77, 0.5F}};
  EXPECT_EQ(sample_one(s).id, 77);
}

TEST_P(sampling_test, GivesTheSameTokenForTheSameSeedAndPosition) {
  auto s = some_situation();
  std::vector<sample_row> rows;
  for (std::uint32_t i = 0; i < 200; ++i) rows.push_back(s.row(i));
  const auto batch = sample(s, rows);
  auto other = s;
  ++other.params.seed;
  int moved = 0, reseeded = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(sample_one(s, i).id, batch[i].id);
    moved += batch[i].id != batch[0].id ? 1 : 0;
    reseeded += sample_one(other, i).id != batch[i].id ? 1 : 0;
  }
  EXPECT_GT(moved, 0);
  EXPECT_GT(reseeded, 0);
}

TEST_P(sampling_test, ReportsLogprobsOfTheModelsOwnDistribution) {
  auto s = some_situation(3000);
  double total = 0;
  for (const float logit : s.logits) total += std::exp(double{logit});
  s.params.logprobs = 20;
  s.params.temperature = 0.5F;
  s.params.top_k = 3;
  s.params.logit_bias = {{0, 50.0F}};
  s.params.presence_penalty = 1;
  const auto token = sample_one(s);
  EXPECT_EQ(token.id, 0);
  EXPECT_NEAR(token.logprob, s.logits[0] - std::log(total), 1e-5);
  std::vector<float> sorted = s.logits;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  ASSERT_EQ(token.top.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(s.logits[static_cast<std::size_t>(token.top[i].id)], sorted[i]);
    EXPECT_NEAR(token.top[i].logprob, sorted[i] - std::log(total), 1e-5);
  }
}

TEST_P(sampling_test, ReportsNoAlternativesUnlessAsked) {
  auto s = some_situation();
  EXPECT_TRUE(sample_one(s).top.empty());
  s.params.logprobs = 0;
  const auto token = sample_one(s);
  EXPECT_TRUE(token.top.empty());
  EXPECT_LT(token.logprob, 0);
}

TEST_P(sampling_test, ReportsTheKnownTokenOfAPromptRow) {
  auto s = some_situation();
  s.params.prompt_logprobs = 2;
  auto row = s.row(0);
  row.is_prompt = true;
  row.known = 17;
  const auto token = sample(s, {row}).at(0);
  double total = 0;
  for (const float logit : s.logits) total += std::exp(double{logit});
  EXPECT_EQ(token.id, 17);
  EXPECT_NEAR(token.logprob, s.logits[17] - std::log(total), 1e-5);
  ASSERT_EQ(token.top.size(), 2U);
  EXPECT_GE(token.top[0].logprob, token.top[1].logprob);
}

TEST_P(sampling_test, GivesAnImpossibleKnownTokenAnInfiniteLogprob) {
  auto s = some_situation();
  s.logits[17] = -inf;
  auto row = s.row(0);
  row.is_prompt = true;
  row.known = 17;
  EXPECT_EQ(sample(s, {row}).at(0).logprob, -inf);
}

TEST_P(sampling_test, FlagsLogitsThatAreNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), inf})
    for (const std::size_t place : {0, 15, 58, 59}) {
      auto s = some_situation();
      s.logits[place] = bad;
      EXPECT_FALSE(sample_one(s).finite) << bad << " at " << place;
      auto row = s.row(0);
      row.is_prompt = true;
      EXPECT_FALSE(sample(s, {row}).at(0).finite);
    }
  auto s = some_situation();
  s.logits[3] = -inf;
  EXPECT_TRUE(sample_one(s).finite);
}

TEST_P(sampling_test, FlagsARowThatLeavesNoTokenAChance) {
  for (const float temperature : {0.0F, 1.0F}) {
    auto s = some_situation();
    s.params.temperature = temperature;
    s.mask.assign(60, -inf);
    EXPECT_FALSE(sample_one(s).finite);
  }
}

TEST_P(sampling_test, NamesTokenIdsOutsideTheVocabulary) {
  const auto refuses = [&](const situation& s, token_id known, const std::string& id) {
    auto row = s.row(0);
    row.is_prompt = known != 0;
    row.known = known;
    try {
      sample(s, {row});
      FAIL() << "took " << id;
    } catch (const std::out_of_range& error) {
      EXPECT_NE(std::string(error.what()).find(id), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("60"), std::string::npos) << error.what();
    }
  };
  auto s = some_situation();
  refuses(s, 60, "60");
  s.params.logit_bias = {{-7, 1.0F}};
  refuses(s, 0, "-7");
  s = some_situation();
  s.params.suppressed = {61};
  s.suppress = true;
  refuses(s, 0, "61");
  s = some_situation();
  s.params.presence_penalty = 1;
  s.ids.push_back(1000);
  refuses(s, 0, "1000");
}

TEST_P(sampling_test, SamplesEachRowFromItsOwnLogits) {
  constexpr std::int64_t vocab = 5000, rows = 64;
  const device_matrix logits(*device_, rows, vocab, random_floats(rows * vocab, 8, 3), dtype::f32);
  sampling_params greedy;
  greedy.temperature = 0;
  std::vector<sample_row> wanted(rows);
  for (std::int32_t i = 0; i < rows; ++i) {
    wanted[static_cast<std::size_t>(i)].logits_row = static_cast<std::int32_t>(rows) - 1 - i;
    wanted[static_cast<std::size_t>(i)].params = &greedy;
  }
  const auto tokens = device_->sample(logits.view(), wanted, nullptr)->take();
  for (std::size_t i = 0; i < rows; ++i) {
    const auto first =
        logits.values().begin() + static_cast<std::ptrdiff_t>((rows - 1 - i) * vocab);
    EXPECT_EQ(tokens[i].id, std::max_element(first, first + vocab) - first);
  }
}

INSTANTIATE_TEST_SUITE_P(devices, sampling_test, testing::ValuesIn(device_cases()), name_of_device);

TEST(HighestLogits, AgreesWithSortingEverything) {
  sampling_scratch scratch;
  for (const std::size_t vocab : {1, 5, 200, 5000}) {
    auto logits = random_floats(vocab, 4);
    for (float& logit : logits) logit = std::round(logit * 8); // many equals
    if (vocab > 5) logits[3] = -inf;
    std::vector<candidate> sorted;
    for (std::size_t i = 0; i < vocab; ++i)
      if (logits[i] > -inf) sorted.push_back({logits[i], static_cast<token_id>(i), 0});
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.logit > b.logit; });
    for (const std::size_t count : {0, 1, 2, 64, 65, 300, 10000}) {
      const auto found = highest_logits(logits, count, scratch);
      ASSERT_EQ(found.size(), std::min(count, sorted.size()));
      for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i].id, sorted[i].id);
    }
  }
}

} // namespace

} // namespace troupe
