// A reference's case of a model: what it was given, what it gave, and how far a run of ours is from
// it.
#pragma once

#include "tests/model/served.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

namespace troupe::testing {

inline nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

/// Greedy continuation with the prompt's logprobs and the best 20 of each token.
inline job golden_job(const nlohmann::json& c, std::size_t new_tokens) {
  job out{.ids = c["ids"].get<token_ids>(), .sampling = greedy(), .new_tokens = new_tokens};
  out.sampling.logprobs = 20;
  out.sampling.prompt_logprobs = 0;
  return out;
}

/// Largest difference of the first token's best logits, up to the constant that softmax removes:
/// all are compared relative to the best.
inline double logits_error(const nlohmann::json& expected, const token_report& first) {
  const auto ids = expected["ids"].get<token_ids>();
  const auto values = expected["values"].get<std::vector<double>>();
  const auto value_of = [&](token_id id) {
    const auto at = std::ranges::find(ids, id);
    return at == ids.end() ? std::nan("") : values[static_cast<std::size_t>(at - ids.begin())];
  };
  const double best = value_of(first.top.front().first);
  if (std::isnan(best)) return best;
  double worst = 0;
  for (const auto& [id, logprob] : first.top)
    if (const double value = value_of(id); !std::isnan(value)) // the last ranks may be near ties
      worst = std::max(worst, std::abs(value - best - (logprob - first.top.front().second)));
  return worst;
}

/// Of the prompt.
inline double nll(const outcome& o) {
  double sum = 0;
  for (const token_report& t : o.prompt) sum -= t.logprob;
  return sum;
}

/// How far from the reference's sum.
inline double nll_error(const nlohmann::json& c, const outcome& o) {
  const double expected = c["nll_sum"].get<double>();
  return std::abs(nll(o) - expected) / std::max(1.0, expected);
}

} // namespace troupe::testing
