// Batches of single rows on a device that likes few sizes.
#include "tests/model/forwarding_backend.hpp"
#include "tests/model/served.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using testing::generate;
using testing::loaded_model;

/// Likes multiples of four, and writes down how many rows it was given.
class choosy_backend : public testing::forwarding_backend {
 public:
  using forwarding_backend::forwarding_backend;

  std::int32_t fitting_rows(std::int32_t rows) const override { return (rows + 3) / 4 * 4; }
  void embed(matrix out, const matrix& table, const token_id* ids) override {
    rows.push_back(out.rows);
    forwarding_backend::embed(out, table, ids);
  }

  std::vector<std::int64_t> rows;
};

std::vector<testing::job> five_jobs() {
  std::vector<testing::job> jobs;
  for (const token_id first : {3, 5, 7, 11, 13})
    jobs.push_back({.ids = {first, 4, 9}, .sampling = testing::greedy(), .new_tokens = 6});
  jobs[2].sampling.repetition_penalty = 1.4F;
  return jobs;
}

TEST(FilledBatch, GivesTheTokensOfThoseThatAreNotFilledUp) {
  const std::filesystem::path folder = TROUPE_GOLDEN "/tiny/qwen3-norm";
  auto device = std::make_unique<choosy_backend>(make_cpu_backend({}));
  const choosy_backend& seen = *device;
  const loaded_model model(folder, std::move(device));
  const auto filled = generate(model, five_jobs());
  const auto plain = generate(loaded_model(folder), five_jobs());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_EQ(filled[i].error, "");
    EXPECT_EQ(filled[i].tokens, plain[i].tokens);
  }
  EXPECT_EQ(seen.rows, (std::vector<std::int64_t>{15, 8, 8, 8, 8, 8})); // prompts, then single rows
}

} // namespace
} // namespace troupe
