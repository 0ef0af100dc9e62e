// The demo model on a GPU against its reference.
#include "kernels/cuda/cuda_backend.hpp"
#include "tests/model/golden_case.hpp"
#include "tests/model/likelihood.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace troupe {
namespace {

using nlohmann::json;
using testing::golden_job;
using testing::job;
using testing::likelihood_of;
using testing::loaded_model;
using testing::read_json;
using testing::texts_of;

class CudaGolden : public ::testing::Test {
 protected:
  void SetUp() override {
    if (cuda_devices() == 0) GTEST_SKIP() << "there is no GPU";
  }
  /// A folder of the sources, which may have been carried elsewhere.
  static std::filesystem::path source(const std::string& path) {
    const char* const elsewhere = std::getenv("SOURCES");
    return std::filesystem::path(elsewhere ? elsewhere : TROUPE_SOURCES) / path;
  }
  std::filesystem::path concierge_ = source("examples/models/concierge");
  json golden_ = read_json(source("tests/golden/concierge/golden.json"));
};

// A logit's error in bf16 is some hundredths: where the reference's choice was nearer than that,
// any choice is right.
TEST_F(CudaGolden, ConciergeContinuesAsItsReferenceWhereThatIsNoNearTie) {
  for (const bool deterministic : {false, true}) {
    const loaded_model model(concierge_, make_cuda_backend({dtype::bf16, deterministic}));
    std::vector<job> jobs;
    for (const json& c : golden_["cases"]) jobs.push_back(golden_job(c, c["greedy_ids"].size()));
    const auto outcomes = testing::generate(model, jobs);
    ASSERT_EQ(outcomes.size(), 14U);
    int same = 0, clear = 0;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const json& c = golden_["cases"][i];
      ASSERT_EQ(outcomes[i].error, "");
      const bool agrees = outcomes[i].tokens == c["greedy_ids"].get<token_ids>();
      same += agrees;
      if (c["greedy_gap"].get<double>() < 0.1) continue;
      ++clear;
      EXPECT_TRUE(agrees) << "case " << i;
    }
    fmt::print("deterministic {}: {} of {} continuations are the reference's\n", deterministic,
               same, outcomes.size());
    EXPECT_EQ(clear, 7);
  }
}

TEST_F(CudaGolden, PerplexityIsWithinHalfAPercent) {
  const auto texts = texts_of(concierge_, source("tests/golden/concierge/test64.jsonl"));
  ASSERT_EQ(texts.size(), 64U);
  for (const dtype type : {dtype::bf16, dtype::f16}) {
    const auto got =
        likelihood_of(loaded_model(concierge_, make_cuda_backend({type, false})), texts);
    const double expected = golden_["test64"]["perplexity"];
    fmt::print("{}: perplexity {:.5f}, the reference's {:.5f}\n",
               type == dtype::bf16 ? "bf16" : "f16", got.perplexity(), expected);
    EXPECT_EQ(got.tokens, golden_["test64"]["tokens"].get<std::size_t>());
    EXPECT_NEAR(got.perplexity(), expected, 5e-3 * expected);
  }
}

} // namespace
} // namespace troupe
