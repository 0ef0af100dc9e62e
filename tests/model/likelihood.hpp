// How likely a model finds texts: its perplexity, which is one number for all that a backend
// computes.
#pragma once

#include "model/tokenizer/tokenizer.hpp"
#include "tests/model/served.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

namespace troupe::testing {

/// The first 2,048 tokens of each text of a file of JSON lines.
inline std::vector<token_ids> texts_of(const std::filesystem::path& model,
                                       const std::filesystem::path& file) {
  const tokenizer tokens = tokenizer::load(model);
  std::ifstream in(file);
  std::vector<token_ids> texts;
  for (std::string line; std::getline(in, line);) {
    texts.push_back(tokens.encode(nlohmann::json::parse(line)["text"].get<std::string>(), false));
    texts.back().resize(std::min<std::size_t>(texts.back().size(), 2048));
  }
  return texts;
}

/// The negative log-likelihood of texts, each on its own from its first token on.
struct likelihood {
  double nll = 0;
  std::size_t tokens = 0;
  double perplexity() const { return std::exp(nll / static_cast<double>(tokens)); }
};

inline likelihood likelihood_of(const loaded_model& model, std::vector<token_ids> texts) {
  likelihood out;
  std::vector<job> jobs;
  for (token_ids& ids : texts) {
    jobs.push_back({.ids = std::move(ids), .sampling = greedy(), .new_tokens = 1, .chunk = 120});
    jobs.back().sampling.prompt_logprobs = 0;
  }
  for (const outcome& o : generate(model, std::move(jobs))) {
    EXPECT_EQ(o.error, "");
    out.tokens += o.prompt.size();
    for (const token_report& t : o.prompt) out.nll -= t.logprob;
  }
  return out;
}

} // namespace troupe::testing
