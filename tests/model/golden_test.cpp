// The decoder computes what the reference computed from the same files: the demo model, a public
// model and tiny random ones of every family. Errors are printed with their largest value.
#include "tests/model/golden_case.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace troupe {
namespace {

using nlohmann::json;
using testing::generate;
using testing::golden_job;
using testing::greedy;
using testing::job;
using testing::loaded_model;
using testing::logits_error;
using testing::nll_error;
using testing::outcome;
using testing::read_json;

/// Holds golden cases against what a model generates, all together in one batch.
void expect_golden(const loaded_model& model, const std::string& name,
                   const std::filesystem::path& golden) {
  const json file = read_json(golden);
  std::vector<job> jobs;
  for (const json& c : file["cases"]) jobs.push_back(golden_job(c, c["greedy_ids"].size()));
  const auto outcomes = generate(model, jobs);
  double worst_logit = 0;
  double worst_nll = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const json& c = file["cases"][i];
    ASSERT_EQ(outcomes[i].error, "") << i;
    EXPECT_EQ(outcomes[i].tokens, c["greedy_ids"].get<token_ids>()) << "case " << i;
    worst_logit =
        std::max(worst_logit, logits_error(c["last_logits_top20"], outcomes[i].reports[0]));
    worst_nll = std::max(worst_nll, nll_error(c, outcomes[i]));
  }
  fmt::print("{}: largest error of a logit {:.2e}, relative of a nll {:.2e}\n", name, worst_logit,
             worst_nll);
  EXPECT_LT(worst_logit, 5e-4);
  EXPECT_LT(worst_nll, 1e-5);
}

void expect_golden(const std::filesystem::path& folder, const std::filesystem::path& golden) {
  expect_golden(loaded_model(folder), folder.filename().string(), golden);
}

TEST(Golden, ConciergeContinuesAsItsReference) {
  const std::filesystem::path golden = TROUPE_GOLDEN "/concierge/golden.json";
  ASSERT_EQ(read_json(golden)["cases"].size(), 14U);
  expect_golden(TROUPE_EXAMPLES "/models/concierge", golden);
}

// The values made at the end of the training came from a model that had been cast to bfloat16 as a
// whole, its rotary frequencies too, which no reader of its files does. Rounding them here gives
// the same.
TEST(Golden, ConciergeContinuesAsAtTheEndOfItsTrainingWithRoundedFrequencies) {
  const std::filesystem::path golden = TROUPE_SHARED "/models/concierge/golden.json";
  if (!std::filesystem::exists(golden)) GTEST_SKIP() << golden << " is absent";
  const std::filesystem::path folder = TROUPE_EXAMPLES "/models/concierge";
  auto as = read_architecture(folder);
  as.rope.frequency_type = dtype::bf16;
  expect_golden(loaded_model(folder, as, make_cpu_backend({})), "concierge, rounded", golden);
}

TEST(Golden, ConciergesDraftAgreesWithItsReferencesFirstChoice) {
  const loaded_model draft(TROUPE_EXAMPLES "/models/concierge-draft");
  const json file = read_json(TROUPE_GOLDEN "/concierge/golden.json");
  std::vector<job> jobs;
  for (const json& c : file["cases"])
    jobs.push_back({.ids = c["ids"].get<token_ids>(), .sampling = greedy(), .new_tokens = 1});
  const auto outcomes = generate(draft, jobs);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    EXPECT_EQ(outcomes[i].tokens.at(0), file["cases"][i]["draft_last_argmax"]) << i;
}

TEST(Golden, TinyModelsOfEveryFamilyContinueAsTheirReference) {
  const std::filesystem::path root = TROUPE_GOLDEN "/tiny";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << root << " is absent: make.py writes it";
  std::size_t models = 0;
  for (const auto& folder : std::filesystem::directory_iterator(root)) {
    if (!folder.is_directory()) continue;
    SCOPED_TRACE(folder.path().filename());
    expect_golden(folder.path(), folder.path() / "golden.json");
    ++models;
  }
  EXPECT_GE(models, 4U);
}

/// A case of the public model's GOLDEN.txt.
struct story {
  token_ids ids;
  token_ids greedy;
  std::map<token_id, double> top;
};

std::vector<story> read_stories(const std::filesystem::path& path) {
  std::vector<story> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string head;
    words >> head;
    if (head == "IDS") out.emplace_back();
    for (token_id id = 0; (head == "IDS" || head == "GREEDY48") && words >> id;)
      (head == "IDS" ? out.back().ids : out.back().greedy).push_back(id);
    for (std::string pair; head == "TOP5_AFTER_PROMPT" && words >> pair;)
      out.back().top[std::stoi(pair)] = std::stod(pair.substr(pair.find(':') + 1));
  }
  return out;
}

TEST(Golden, APublicModelContinuesAsItsReference) {
  const std::filesystem::path folder = TROUPE_SHARED "/models/TinyStories-656K";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const loaded_model model(folder);
  const auto stories = read_stories(folder / "GOLDEN.txt");
  ASSERT_EQ(stories.size(), 3U);
  std::vector<job> jobs;
  for (const story& s : stories) {
    jobs.push_back({.ids = s.ids, .sampling = greedy(), .new_tokens = s.greedy.size()});
    jobs.back().sampling.logprobs = 5;
  }
  const auto outcomes = generate(model, jobs);
  double worst = 0;
  for (std::size_t i = 0; i < stories.size(); ++i) {
    EXPECT_EQ(outcomes[i].tokens, stories[i].greedy) << i;
    const auto& top = outcomes[i].reports.at(0).top;
    const double best = stories[i].top.at(top.at(0).first);
    for (const auto& [id, logprob] : top)
      worst = std::max(worst, std::abs((stories[i].top.at(id) - best) - (logprob - top[0].second)));
  }
  fmt::print("TinyStories-656K: largest error of a logit {:.2e}\n", worst);
  EXPECT_LT(worst, 1e-3);
}

} // namespace
} // namespace troupe
