// The device's choice beside the CPU's, token for token, on rows that lead into every corner of the
// search: ties, plateaus, vocabularies of odd sizes. Where the CPU draws from what top_p keeps in
// an order of its own, the order is the falling one here.
#include "kernels/cuda/sampling.hpp"
#include "kernels/philox.hpp"
#include "kernels/sampling.hpp"
#include "tests/kernels/device.hpp"

#include <numeric>

namespace troupe {

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

struct many_rows {
  std::vector<float> logits;
  std::size_t vocab = 0;
  std::vector<sample_row> rows;

  matrix view() {
    return {logits.data(), dtype::f32, static_cast<std::int64_t>(logits.size() / vocab),
            static_cast<std::int64_t>(vocab)};
  }
  std::span<const float> logits_of(const sample_row& row) const {
    return {logits.data() + static_cast<std::size_t>(row.logits_row) * vocab, vocab};
  }
};

std::vector<float> row_of_kind(const std::string& kind, std::size_t vocab, std::uint32_t seed) {
  auto logits = random_floats(vocab, seed, kind == "wide" ? 12 : 2);
  for (float& x : logits) {
    if (kind == "ties") x = std::round(2 * x) / 2;
    if (kind == "plateau") x = x > 3 ? 1.0F : 0.5F;
    if (kind == "zeros") x = x > 0 ? 0.0F : -0.0F;
    if (kind == "sparse" && x < 3) x = -inf;
  }
  if (kind == "peak") logits[vocab / 2] = 60; // the others have no chance, but logprobs
  return logits;
}

const std::vector<std::string> kinds = {"normal", "wide",   "ties", "plateau",
                                        "zeros",  "sparse", "peak"};

/// Every kind of row, `draws` times with each of the params.
many_rows rows_of(const std::vector<sampling_params>& params, std::size_t vocab,
                  std::uint32_t draws) {
  many_rows out;
  out.vocab = vocab;
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    const auto row = row_of_kind(kinds[kind], vocab, static_cast<std::uint32_t>(kind) + 1);
    out.logits.insert(out.logits.end(), row.begin(), row.end());
    for (const sampling_params& p : params)
      for (std::uint32_t i = 0; i < draws; ++i) {
        sample_row wanted;
        wanted.logits_row = static_cast<std::int32_t>(kind);
        wanted.params = &p;
        wanted.position = static_cast<std::uint32_t>(out.rows.size());
        out.rows.push_back(wanted);
      }
  }
  return out;
}

void expect_like_the_cpu(many_rows& all, cuda::device_sampler& sampler) {
  const auto before = all.logits;
  const auto got = sampler.sample(nullptr, all.view(), all.rows, nullptr)->take();
  ASSERT_EQ(got.size(), all.rows.size());
  sampling_scratch scratch;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto want = sample_token(all.logits_of(all.rows[i]), all.rows[i], scratch);
    const std::string which =
        kinds.at(static_cast<std::size_t>(all.rows[i].logits_row)) + ", row " + std::to_string(i);
    EXPECT_EQ(got[i].finite, want.finite) << which;
    EXPECT_EQ(got[i].id, want.id) << which;
    EXPECT_NEAR(got[i].logprob, want.logprob, 1e-6 * (1 - want.logprob)) << which;
    ASSERT_EQ(got[i].top.size(), want.top.size()) << which;
    for (std::size_t k = 0; k < want.top.size(); ++k) {
      EXPECT_EQ(got[i].top[k].id, want.top[k].id) << which;
      EXPECT_NEAR(got[i].top[k].logprob, want.top[k].logprob, 1e-6 * (1 - want.top[k].logprob));
    }
  }
  expect_same(all.logits, before);
}

std::vector<sampling_params> simple_params() {
  std::vector<sampling_params> all(7);
  all[0].temperature = 0;
  all[1].temperature = 1;
  all[2].temperature = 0.2F;
  all[3].min_p = 0.1F;
  all[4].top_k = 1;
  all[5].top_k = 40;
  all[6].top_k = 2000;
  all[6].min_p = 0.01F;
  all[6].temperature = 2;
  return all;
}

TEST(DeviceSampler, ChoosesWhatTheCpuChooses) {
  cuda::device_sampler sampler;
  const auto params = simple_params();
  for (const std::size_t vocab : {1, 2, 31, 128, 129, 1000, 4099}) {
    auto all = rows_of(params, vocab, 4);
    expect_like_the_cpu(all, sampler);
  }
}

TEST(DeviceSampler, ChoosesFromTheLargestVocabularies) {
  std::vector<sampling_params> params(3);
  params[0].temperature = 2;
  params[1].min_p = 0.02F;
  params[2].top_k = 30000;
  for (auto& p : params) p.logprobs = 20;
  cuda::device_sampler sampler;
  for (const std::size_t vocab : {40000, 270001}) { // more than 2048 tiles
    auto all = rows_of(params, vocab, 1);
    expect_like_the_cpu(all, sampler);
  }
}

TEST(DeviceSampler, RefusesALargerVocabulary) {
  sampling_params params;
  sample_row row;
  row.params = &params;
  cuda::device_sampler sampler;
  EXPECT_THROW(sampler.sample(nullptr, {nullptr, dtype::f32, 1, (1 << 21) + 1}, {&row, 1}, nullptr),
               std::invalid_argument);
}

TEST(DeviceSampler, ReportsTheLogprobsThatTheCpuReports) {
  cuda::device_sampler sampler;
  auto params = simple_params();
  for (std::size_t i = 0; i < params.size(); ++i)
    params[i].logprobs = std::vector<std::int32_t>{0, 20, 1, 5, 20, 0, 20}[i];
  for (const std::size_t vocab : {3, 128, 1000, 4099}) {
    auto all = rows_of(params, vocab, 1);
    expect_like_the_cpu(all, sampler);
  }
}

TEST(DeviceSampler, AdjustsLogitsAsTheCpuDoes) {
  constexpr std::size_t vocab = 1501;
  auto params = simple_params();
  std::vector<token_id> ids;
  for (int i = 0; i < 700; ++i) ids.push_back(i * i % 211);
  std::vector<float> mask(vocab);
  for (std::size_t i = 0; i < vocab; i += 3) mask[i] = -inf;
  for (auto& p : params) {
    p.repetition_penalty = 1.3F;
    p.presence_penalty = 0.3F;
    p.frequency_penalty = 0.01F;
    p.logit_bias = {{700, 1.1F}, {5, -3.3F}, {700, 0.7F}, {1500, 2}};
    p.suppressed = {1, 1500, 1};
    p.logprobs = 2;
  }
  auto all = rows_of(params, vocab, 4);
  for (std::size_t i = 0; i < all.rows.size(); ++i) {
    sample_row& row = all.rows[i];
    row.ids = ids;
    row.prompt_tokens = i % 5 == 0 ? 10000 : 300;
    row.suppress = i % 2 == 0;
    if (i % 3 == 0) row.allowed_mask = mask;
  }
  for (const std::size_t scratch_bytes :
       {std::size_t{1}, std::size_t{40000}, std::size_t{1} << 30}) {
    cuda::device_sampler sampler(scratch_bytes);
    expect_like_the_cpu(all, sampler);
  }
}

/// What stands at the uniform number in the falling order of what top_p keeps.
token_id falling_choice(std::span<const float> logits, const sample_row& row) {
  const sampling_params& params = *row.params;
  const float highest = *std::ranges::max_element(logits);
  std::vector<double> weights(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    weights[i] = std::exp((logits[i] - highest) * (1.0F / params.temperature));
    if (weights[i] < params.min_p) weights[i] = 0;
  }
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](auto a, auto b) { return logits[a] > logits[b]; });
  if (params.top_k > 0 && static_cast<std::size_t>(params.top_k) < order.size())
    order.resize(static_cast<std::size_t>(params.top_k));
  const auto sum_of = [&] {
    return std::accumulate(order.begin(), order.end(), 0.0,
                           [&](double sum, std::size_t i) { return sum + weights[i]; });
  };
  const double wanted = params.top_p * sum_of();
  double sum = 0;
  std::size_t kept = 0;
  while (kept < order.size() && sum < wanted) sum += weights[order[kept++]];
  order.resize(kept);
  double left = uniform_at(params.seed, row.position) * sum_of();
  for (const std::size_t i : order)
    if ((left -= weights[i]) < 0) return static_cast<token_id>(i);
  return static_cast<token_id>(order.back());
}

TEST(DeviceSampler, DrawsInFallingOrderFromWhatTopPKeeps) {
  std::vector<sampling_params> params(5);
  params[0].top_p = 0.9F;
  params[1].top_p = 0.301F;
  params[2].top_p = 0.997F;
  params[2].temperature = 1.7F;
  params[3].top_p = 0.8F;
  params[3].top_k = 50;
  params[4].top_p = 0.6F;
  params[4].min_p = 0.05F;
  cuda::device_sampler sampler;
  for (const std::size_t vocab : {17, 128, 1000, 6001}) {
    auto all = rows_of(params, vocab, 5);
    const auto got = sampler.sample(nullptr, all.view(), all.rows, nullptr)->take();
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_EQ(got[i].id, falling_choice(all.logits_of(all.rows[i]), all.rows[i]))
          << vocab << " tokens, row " << i;
  }
}

TEST(DeviceSampler, LeavesTokensForLaterSteps) {
  const auto params = simple_params();
  auto all = rows_of(params, 300, 1);
  std::vector<token_id> chosen(all.rows.size() + 2, -5);
  for (std::size_t i = 1; i < all.rows.size(); ++i)
    all.rows[i].keep = static_cast<std::int32_t>(all.rows.size() - i);
  cuda::device_sampler sampler;
  const auto got = sampler.sample(nullptr, all.view(), all.rows, chosen.data())->take();
  for (std::size_t i = 1; i < all.rows.size(); ++i)
    EXPECT_EQ(chosen[all.rows.size() - i], got[i].id);
  EXPECT_EQ(chosen.front(), -5);
  EXPECT_EQ(chosen.back(), -5);
}

TEST(DeviceSampler, HasSeveralCallsUnderWay) {
  const auto params = simple_params();
  auto small = rows_of(params, 50, 1), large = rows_of(params, 700, 3);
  auto sampler = std::make_unique<cuda::device_sampler>();
  auto first = sampler->sample(nullptr, small.view(), small.rows, nullptr);
  auto second = sampler->sample(nullptr, large.view(), large.rows, nullptr);
  sampler->sample(nullptr, large.view(), large.rows, nullptr).reset(); // nobody takes these
  auto third = sampler->sample(nullptr, small.view(), small.rows, nullptr);
  sampler.reset();
  const auto a = first->take(), b = second->take(), c = third->take();
  ASSERT_EQ(a.size(), small.rows.size());
  ASSERT_EQ(b.size(), large.rows.size());
  sampling_scratch scratch;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].id, sample_token(small.logits_of(small.rows[i]), small.rows[i], scratch).id);
    EXPECT_EQ(a[i].id, c[i].id);
  }
  for (std::size_t i = 0; i < b.size(); ++i)
    EXPECT_EQ(b[i].id, sample_token(large.logits_of(large.rows[i]), large.rows[i], scratch).id);
}

TEST(DeviceSampler, GivesNoTokensForNoRows) {
  std::vector<float> logits(10);
  cuda::device_sampler sampler;
  EXPECT_TRUE(
      sampler.sample(nullptr, {logits.data(), dtype::f32, 1, 10}, {}, nullptr)->take().empty());
}

TEST(DeviceSampler, RefusesMoreAlternativesThanItReports) {
  std::vector<float> logits(100);
  sampling_params params;
  params.logprobs = 21;
  sample_row row;
  row.params = &params;
  cuda::device_sampler sampler;
  EXPECT_THROW(sampler.sample(nullptr, {logits.data(), dtype::f32, 1, 100}, {&row, 1}, nullptr),
               std::invalid_argument);
}

} // namespace

} // namespace troupe
