// min_p, top_k and top_p each keep a prefix of the tokens in falling order, so only as much of that
// order is made as they can keep; the vocabulary is never sorted as a whole unless top_p asks for
// nearly all of it.
#include "kernels/sampling.hpp"

#include "kernels/cpu/logits.hpp"
#include "kernels/philox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace troupe {

namespace {

constexpr float impossible = -std::numeric_limits<float>::infinity();
constexpr std::uint32_t in_prompt = 1U << 31; // beside a token's count

bool better(const candidate& a, const candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

std::size_t checked(token_id id, std::size_t vocab, const char* what) {
  if (id < 0 || static_cast<std::size_t>(id) >= vocab)
    throw std::out_of_range(
        fmt::format("{}: token id {} is outside the vocabulary of {}", what, id, vocab));
  return static_cast<std::size_t>(id);
}

void penalise(std::span<float> logits, const sample_row& row, std::vector<std::uint32_t>& counts) {
  const sampling_params& params = *row.params;
  for (const token_id id : row.ids) checked(id, logits.size(), "penalties");
  counts.resize(logits.size());
  const std::size_t prompt = std::min<std::size_t>(row.prompt_tokens, row.ids.size());
  for (const token_id id : row.ids.first(prompt)) counts[id] |= in_prompt;
  for (const token_id id : row.ids.subspan(prompt)) ++counts[id];
  for (const token_id id : row.ids) {
    const std::uint32_t seen = std::exchange(counts[id], 0);
    if (seen == 0) continue;
    float& logit = logits[id];
    if (params.repetition_penalty != 1.0F)
      logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
    const std::uint32_t generated = seen & ~in_prompt;
    if (generated == 0) continue;
    logit -= params.frequency_penalty * static_cast<float>(generated) + params.presence_penalty;
  }
}

/// Natural logarithm of the sum of the logits' exponentials.
double log_sum(std::span<const float> logits, float highest) {
  if (highest == impossible) return 0;
  return highest + std::log(exponentials({}, {}, logits, highest, 1));
}

/// Reports `id` and the `count` likeliest under the softmax of the raw logits.
void report(sampled_token& result, token_id id, std::int32_t count, std::span<const float> logits,
            float highest, sampling_scratch& scratch) {
  const double total = log_sum(logits, highest);
  const auto logprob = [&](float logit) {
    return std::min(0.0F, static_cast<float>(static_cast<double>(logit) - total));
  };
  result.logprob = logprob(logits[static_cast<std::size_t>(id)]);
  if (count <= 0) return;
  for (const candidate& c : highest_logits(logits, static_cast<std::size_t>(count), scratch))
    result.top.push_back({c.id, logprob(c.logit)});
}

/// The token at `uniform` in the distribution of scratch.weights over the whole vocabulary.
token_id choose_from_all(double uniform, double total, const sampling_scratch& scratch) {
  double left = uniform * total;
  std::size_t block = 0;
  while (block + 1 < scratch.block_sums.size() && left >= scratch.block_sums[block])
    left -= scratch.block_sums[block++];
  const std::size_t first = block * exponential_block;
  const std::size_t end = std::min(scratch.weights.size(), first + exponential_block);
  std::size_t last = end;
  for (std::size_t i = first; i < end; ++i) {
    if (scratch.weights[i] <= 0) continue;
    last = i;
    left -= scratch.weights[i];
    if (left < 0) break;
  }
  if (last == end) // only rounding leads behind a block without a token
    for (last = end - 1; scratch.weights[last] <= 0;) last = last == 0 ? end - 1 : last - 1;
  return static_cast<token_id>(last);
}

double mass_of(std::span<const candidate> candidates) {
  double sum = 0;
  for (const candidate& c : candidates) sum += c.weight;
  return sum;
}

/// Keeps, of the candidates behind the first `sure`, the smallest set of the best whose weights
/// reach `mass`, in any order: halves them around the one sought, as quickselect does.
void keep_mass(std::vector<candidate>& kept, std::size_t sure, double mass) {
  auto first = kept.begin() + static_cast<std::ptrdiff_t>(sure);
  auto last = kept.end();
  while (last - first > 1) {
    const auto middle = first + (last - first) / 2;
    std::nth_element(first, middle, last, better);
    const double sum = mass_of({first, middle});
    if (sum >= mass) {
      last = middle;
    } else {
      mass -= sum;
      first = middle;
    }
  }
  kept.erase(last, kept.end());
}

/// Classes of weights in [0, 1] that rise with them, 32 to a power of two.
constexpr std::size_t weight_classes = (127U << 5) + 1;
std::size_t class_of(float weight) { return std::bit_cast<std::uint32_t>(weight) >> 18; }

/// Appends the tokens whose weights' classes are in [first, last).
void append_classes(std::span<const float> logits, std::size_t first, std::size_t last,
                    sampling_scratch& scratch) {
  for (std::size_t i = 0; i < logits.size(); ++i)
    if (const auto c = class_of(scratch.weights[i]); c >= first && c < last)
      scratch.candidates.push_back({logits[i], static_cast<token_id>(i), scratch.weights[i]});
}

/// Leaves the smallest set of the likeliest tokens whose weights reach `mass` in
/// scratch.candidates: sums the weights by class, and orders only the class where the mass ends.
void keep_likeliest(std::span<const float> logits, double mass, sampling_scratch& scratch) {
  scratch.masses.assign(weight_classes, 0);
  for (const float weight : scratch.weights) scratch.masses[class_of(weight)] += weight;
  std::size_t border = weight_classes - 1;
  for (; border > 0 && scratch.masses[border] < mass; --border) mass -= scratch.masses[border];
  scratch.candidates.clear();
  append_classes(logits, border + 1, weight_classes, scratch);
  const std::size_t sure = scratch.candidates.size();
  append_classes(logits, border, border + 1, scratch);
  keep_mass(scratch.candidates, sure, mass);
}

/// The token at `uniform` in the distribution of the candidates' weights.
token_id choose_candidate(double uniform, std::span<const candidate> candidates) {
  double left = uniform * mass_of(candidates);
  for (const candidate& c : candidates) {
    left -= c.weight;
    if (left < 0) return c.id;
  }
  return candidates.back().id;
}

/// Chooses among the top_k likeliest, which need no pass over the other tokens' exponentials.
token_id choose_of_top_k(std::span<const float> logits, float highest, double uniform,
                         const sampling_params& params, sampling_scratch& scratch) {
  auto& kept = scratch.candidates;
  highest_logits(logits, static_cast<std::size_t>(params.top_k), scratch);
  for (candidate& c : kept) c.weight = std::exp((c.logit - highest) * (1.0F / params.temperature));
  std::erase_if(kept, [&](const candidate& c) { return c.weight < params.min_p; });
  if (params.top_p < 1) keep_mass(kept, 0, params.top_p * mass_of(kept));
  return choose_candidate(uniform, kept);
}

token_id choose(std::span<const float> logits, float highest, const sample_row& row,
                sampling_scratch& scratch) {
  const sampling_params& params = *row.params;
  const double uniform = uniform_at(params.seed, row.position);
  if (params.top_k > 0 && static_cast<std::size_t>(params.top_k) < logits.size())
    return choose_of_top_k(logits, highest, uniform, params, scratch);
  scratch.weights.resize(logits.size());
  scratch.block_sums.resize((logits.size() + exponential_block - 1) / exponential_block);
  const double total =
      exponentials(scratch.weights, scratch.block_sums, logits, highest, 1.0F / params.temperature);
  if (params.min_p > 0) {
    scratch.candidates.clear();
    for (std::size_t i = 0; i < logits.size(); ++i)
      if (scratch.weights[i] >= params.min_p)
        scratch.candidates.push_back({logits[i], static_cast<token_id>(i), scratch.weights[i]});
    if (params.top_p < 1)
      keep_mass(scratch.candidates, 0, params.top_p * mass_of(scratch.candidates));
  } else if (params.top_p < 1) {
    keep_likeliest(logits, params.top_p * total, scratch);
  } else {
    return choose_from_all(uniform, total, scratch);
  }
  return choose_candidate(uniform, scratch.candidates);
}

} // namespace

std::span<const float> adjust_logits(std::span<const float> logits, const sample_row& row,
                                     sampling_scratch& scratch) {
  const sampling_params& params = *row.params;
  if (params.logit_bias.empty() && !row.suppress && row.allowed_mask.empty() &&
      !has_penalties(params))
    return logits;
  auto& adjusted = scratch.logits;
  adjusted.assign(logits.begin(), logits.end());
  for (const auto& [id, bias] : params.logit_bias)
    adjusted[checked(id, adjusted.size(), "logit_bias")] += bias;
  if (row.suppress)
    for (const token_id id : params.suppressed)
      adjusted[checked(id, adjusted.size(), "suppressed")] = impossible;
  for (std::size_t i = 0; i < row.allowed_mask.size(); ++i) adjusted[i] += row.allowed_mask[i];
  if (has_penalties(params)) penalise(adjusted, row, scratch.counts);
  return adjusted;
}

std::span<const candidate> highest_logits(std::span<const float> logits, std::size_t count,
                                          sampling_scratch& scratch) {
  auto& found = scratch.candidates;
  found.clear();
  const std::size_t capacity = 2 * std::max<std::size_t>(count, 64);
  float threshold = impossible;
  const auto prune = [&] {
    if (found.size() <= count) return;
    std::ranges::nth_element(found, found.begin() + static_cast<std::ptrdiff_t>(count) - 1, better);
    found.resize(count);
    threshold = found.back().logit;
  };
  if (count == 0) return found;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] > threshold)) continue;
    if (found.size() == capacity) prune();
    if (logits[i] > threshold) found.push_back({logits[i], static_cast<token_id>(i), 0});
  }
  prune();
  std::ranges::sort(found, better);
  return found;
}

sampled_token sample_token(std::span<const float> logits, const sample_row& row,
                           sampling_scratch& scratch) {
  const sampling_params& params = *row.params;
  sampled_token result;
  const logits_peak raw = find_peak(logits);
  result.finite = raw.finite;
  if (!raw.finite) return result;
  if (row.is_prompt) {
    result.id = row.known;
    checked(row.known, logits.size(), "known");
    report(result, row.known, params.prompt_logprobs, logits, raw.highest, scratch);
    return result;
  }
  const auto adjusted = adjust_logits(logits, row, scratch);
  const logits_peak peak = adjusted.data() == logits.data() ? raw : find_peak(adjusted);
  result.finite = peak.finite && peak.highest > impossible;
  if (!result.finite) return result;
  result.id =
      params.temperature <= 0
          ? static_cast<token_id>(std::ranges::find(adjusted, peak.highest) - adjusted.begin())
          : choose(adjusted, peak.highest, row, scratch);
  if (params.logprobs >= 0)
    report(result, result.id, params.logprobs, logits, raw.highest, scratch);
  return result;
}

} // namespace troupe
