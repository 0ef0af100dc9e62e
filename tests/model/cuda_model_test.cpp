// Whole models on the CUDA backend, its kernels interpreted: close to the reference as far as bf16
// carries, and the same in every batch.
#include "kernels/cuda/cuda_backend.hpp"
#include "tests/model/served.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

namespace troupe {
namespace {

using nlohmann::json;
using testing::generate;
using testing::greedy;
using testing::job;
using testing::loaded_model;
using testing::outcome;

loaded_model on_cuda(const std::filesystem::path& folder, dtype type) {
  return loaded_model(folder, make_cuda_backend({type, true}));
}

/// A golden case: its prompt's logprobs and the first tokens of its continuation.
job case_of(const json& c, std::size_t new_tokens) {
  job out{.ids = c["ids"].get<token_ids>(), .sampling = greedy(), .new_tokens = new_tokens};
  out.sampling.logprobs = 20;
  out.sampling.prompt_logprobs = 0;
  return out;
}

double nll(const outcome& o) {
  double sum = 0;
  for (const token_report& t : o.prompt) sum -= t.logprob;
  return sum;
}

/// The largest difference of a logit from the reference's, all relative to the best.
double logits_error(const json& expected, const token_report& first) {
  double worst = 0;
  const auto ids = expected["ids"].get<token_ids>();
  const auto values = expected["values"].get<std::vector<double>>();
  const auto value_of = [&](token_id id) {
    const auto at = std::ranges::find(ids, id);
    return at == ids.end() ? std::nan("") : values[static_cast<std::size_t>(at - ids.begin())];
  };
  const double best = value_of(first.top.front().first);
  for (const auto& [id, logprob] : first.top)
    if (const double value = value_of(id); !std::isnan(value))
      worst = std::max(worst, std::abs(value - best - (logprob - first.top.front().second)));
  return worst;
}

struct bounds;

class CudaModel : public ::testing::TestWithParam<std::string> {
 protected:
  void check(dtype type, const bounds& most) const;

  std::filesystem::path folder_ = std::filesystem::path(TROUPE_GOLDEN "/tiny") / GetParam();
};

/// How far a model's numbers may be from the reference's.
struct bounds {
  double logit; // absolute
  double nll;   // relative
};

void CudaModel::check(dtype type, const bounds& most) const {
  const json cases = json::parse(std::ifstream(folder_ / "golden.json"))["cases"];
  std::vector<job> jobs;
  for (const json& c : cases) jobs.push_back(case_of(c, 1));
  const auto outcomes = generate(on_cuda(folder_, type), jobs);
  bounds worst{};
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_EQ(outcomes[i].error, "");
    const double expected = cases[i]["nll_sum"].get<double>();
    const auto& first = outcomes[i].reports.at(0);
    worst.logit = std::max(worst.logit, logits_error(cases[i]["last_logits_top20"], first));
    worst.nll =
        std::max(worst.nll, std::abs(nll(outcomes[i]) - expected) / std::max(1.0, expected));
  }
  fmt::print("largest error of a logit {:.2e}, relative of a nll {:.2e}\n", worst.logit, worst.nll);
  EXPECT_LT(worst.logit, most.logit);
  EXPECT_LT(worst.nll, most.nll);
}

TEST_P(CudaModel, StaysAsCloseToItsReferenceAsBf16Carries) { check(dtype::bf16, {0.4, 5e-3}); }

// Three more bits, and errors of an eighth: they come from rounding and from nothing else.
TEST_P(CudaModel, StaysAsCloseToItsReferenceAsF16Carries) { check(dtype::f16, {0.05, 1e-3}); }

INSTANTIATE_TEST_SUITE_P(Tiny, CudaModel,
                         ::testing::Values("llama-linear-bias-f32", "llama-llama3-untied",
                                           "llama-yarn-sharded-f16", "mistral-window-untied",
                                           "qwen2-bias-window", "qwen3-norm", "qwen3-yarn-mha"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(CudaModel, GivesTheSameTokensAloneInABatchAndInChunks) {
  const std::filesystem::path folder = TROUPE_GOLDEN "/tiny/qwen3-norm";
  const json cases = json::parse(std::ifstream(folder / "golden.json"))["cases"];
  const loaded_model model = on_cuda(folder, dtype::bf16);
  auto alone = case_of(cases[0], 6);
  const auto expected = generate(model, {alone})[0].tokens;
  auto chunked = alone;
  chunked.chunk = 3;
  const auto together = generate(model, {case_of(cases[1], 6), alone, chunked});
  EXPECT_EQ(expected.size(), 6U);
  EXPECT_EQ(together[1].tokens, expected);
  EXPECT_EQ(together[2].tokens, expected);
}

} // namespace
} // namespace troupe
