// Whole models on the CUDA backend, interpreted or on a GPU: close to the reference as far as their
// numbers carry, and the same in every batch.
#include "kernels/cuda/cuda_backend.hpp"
#include "tests/model/forwarding_backend.hpp"
#include "tests/model/golden_case.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace troupe {
namespace {

using nlohmann::json;
using testing::generate;
using testing::golden_job;
using testing::job;
using testing::loaded_model;
using testing::read_json;

loaded_model on_cuda(const std::filesystem::path& folder, dtype type) {
  return loaded_model(folder, make_cuda_backend({type, true}));
}

/// How far a model's numbers may be from the reference's.
struct bounds {
  double logit; // absolute
  double nll;   // relative
};

/// A folder of the sources, which may have been carried elsewhere.
std::filesystem::path source(const std::string& path) {
  const char* const elsewhere = std::getenv("SOURCES");
  return std::filesystem::path(elsewhere ? elsewhere : TROUPE_SOURCES) / path;
}

class CudaModel : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (cuda_devices() == 0) GTEST_SKIP() << "there is no GPU";
  }
  void check(dtype type, const bounds& most) const;

  std::filesystem::path folder_ = source("tests/golden/tiny") / GetParam();
};

void CudaModel::check(dtype type, const bounds& most) const {
  const json cases = read_json(folder_ / "golden.json")["cases"];
  std::vector<job> jobs;
  for (const json& c : cases) jobs.push_back(golden_job(c, 1));
  const auto outcomes = generate(on_cuda(folder_, type), jobs);
  bounds worst{};
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_EQ(outcomes[i].error, "");
    const auto& first = outcomes[i].reports.at(0);
    worst.logit =
        std::max(worst.logit, testing::logits_error(cases[i]["last_logits_top20"], first));
    worst.nll = std::max(worst.nll, testing::nll_error(cases[i], outcomes[i]));
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
  if (cuda_devices() == 0) GTEST_SKIP() << "there is no GPU";
  const std::filesystem::path folder = source("tests/golden/tiny/qwen3-norm");
  const json cases = read_json(folder / "golden.json")["cases"];
  const loaded_model model = on_cuda(folder, dtype::bf16);
  auto alone = golden_job(cases[0], 6);
  const auto expected = generate(model, {alone})[0].tokens;
  auto chunked = alone;
  chunked.chunk = 3;
  const auto together = generate(model, {golden_job(cases[1], 6), alone, chunked});
  EXPECT_EQ(expected.size(), 6U);
  EXPECT_EQ(together[1].tokens, expected);
  EXPECT_EQ(together[2].tokens, expected);
}

std::vector<job> jobs_of(std::initializer_list<std::size_t> lengths) {
  std::vector<job> jobs;
  for (const std::size_t length : lengths) {
    job& added = jobs.emplace_back();
    for (std::size_t i = 0; i < length; ++i)
      added.ids.push_back(static_cast<token_id>(50 + 7 * i * length % 1000));
    added.sampling = testing::greedy();
    added.sampling.logprobs = 1;
    added.new_tokens = 6 + length / 5;
  }
  return jobs;
}

void expect_equal(const std::vector<testing::outcome>& got,
                  const std::vector<testing::outcome>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].tokens, want[i].tokens);
    for (std::size_t t = 0; t < got[i].reports.size(); ++t)
      EXPECT_EQ(got[i].reports[t].logprob, want[i].reports[t].logprob);
  }
}

// A backend that only hands ops on is not asked to remember any.
TEST(CudaModel, GivesTheSameTokensFromStepsThatItRemembers) {
  if (cuda_devices() == 0) GTEST_SKIP() << "there is no GPU";
  const std::filesystem::path folder = source("examples/models/concierge-draft");
  const loaded_model each_issued(folder, std::make_unique<testing::forwarding_backend>(
                                             make_cuda_backend({dtype::bf16, false, {}})));
  const loaded_model remembering(folder, make_cuda_backend({dtype::bf16, false, {}}));
  const auto want = generate(each_issued, jobs_of({40, 5, 17}));
  expect_equal(generate(remembering, jobs_of({40, 5, 17})), want);
  generate(remembering, jobs_of({9, 33})); // another runner on the same device, and then a third
  expect_equal(generate(remembering, jobs_of({40, 5, 17})), want);
}

} // namespace
} // namespace troupe
