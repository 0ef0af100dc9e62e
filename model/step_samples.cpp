// Rows are collected slot by slot, the prompt's before the sampled ones, and finished in the same
// order.
#include "model/step_samples.hpp"

#include <algorithm>
#include <iterator>

namespace troupe {

namespace {

token_report report_of(const sampled_token& sample) {
  token_report out{.id = sample.id, .logprob = sample.logprob, .top = {}};
  for (const token_logprob& t : sample.top) out.top.emplace_back(t.id, t.logprob);
  return out;
}

/// How many of the run's rows have a prompt token behind them that is to be reported.
std::uint32_t prompt_rows(const slot_work& work) {
  if (work.state->sampling->prompt_logprobs < 0) return 0;
  const std::uint32_t last = work.state->prompt_tokens; // rows before last - 1 are followed by one
  if (work.run->first + 1 >= last) return 0;
  return std::min(work.run->tokens, last - 1 - work.run->first);
}

} // namespace

step_samples::step_samples(std::span<const slot_work> work) {
  std::int32_t row = 0;
  for (const slot_work& w : work) {
    if (w.result->error.empty()) {
      collect_prompt(w, row);
      if (w.run->sample) collect_tokens(w, row);
    }
    row += w.rows();
  }
}

void step_samples::collect_prompt(const slot_work& work, std::int32_t first_row) {
  const token_ids& ids = work.state->ids;
  for (std::uint32_t i = 0; i < prompt_rows(work); ++i) {
    const std::uint32_t position = work.run->first + i + 1;
    batch_rows_.push_back(first_row + static_cast<std::int32_t>(i));
    rows_.push_back({.params = &work.state->prompt_sampling,
                     .position = position,
                     .ids = std::span(ids).first(position),
                     .prompt_tokens = work.state->prompt_tokens,
                     .is_prompt = true,
                     .known = ids[position]});
  }
}

void step_samples::collect_tokens(const slot_work& work, std::int32_t first_row) {
  const slot_run& run = *work.run;
  const token_ids* ids = &work.state->ids;
  const std::size_t tokens = ids->size() + work.state->under_way;
  const std::size_t first_to_end =
      work.state->prompt_tokens + static_cast<std::size_t>(work.state->sampling->min_tokens);
  if (!run.drafts.empty()) {
    token_ids& longer = drafted_.emplace_back(*ids);
    longer.insert(longer.end(), run.drafts.begin(), run.drafts.end());
    ids = &longer;
  }
  for (std::size_t i = 0; i <= run.drafts.size(); ++i) {
    batch_rows_.push_back(first_row + static_cast<std::int32_t>(run.tokens - 1 + i));
    rows_.push_back({.params = work.state->sampling.get(),
                     .position = static_cast<std::uint32_t>(tokens + i),
                     .keep = run.drafts.empty() ? static_cast<std::int32_t>(run.slot) : -1,
                     .ids = std::span(*ids).first(std::min(ids->size(), tokens + i)),
                     .prompt_tokens = work.state->prompt_tokens,
                     .suppress = tokens + i < first_to_end});
  }
}

std::vector<sample_row> step_samples::rows(std::size_t first, std::size_t count) const {
  std::vector<sample_row> out(rows_.begin() + static_cast<std::ptrdiff_t>(first),
                              rows_.begin() + static_cast<std::ptrdiff_t>(first + count));
  for (std::size_t i = 0; i < out.size(); ++i) out[i].logits_row = static_cast<std::int32_t>(i);
  return out;
}

void step_samples::finish(std::span<const slot_work> work) {
  std::vector<sampled_token> all;
  all.reserve(rows_.size());
  for (const auto& part : issued_) std::ranges::move(part->take(), std::back_inserter(all));
  std::span<const sampled_token> left(all);
  const auto next = [&left](std::size_t count) {
    const auto part = left.first(count);
    left = left.subspan(count);
    return part;
  };
  for (const slot_work& w : work) {
    if (!w.result->error.empty()) continue;
    const auto prompt = next(prompt_rows(w));
    finish_slot(w, prompt, next(w.run->sample ? w.run->drafts.size() + 1 : 0));
  }
}

void step_samples::finish_slot(const slot_work& work, std::span<const sampled_token> prompt,
                               std::span<const sampled_token> sampled) const {
  const slot_run& run = *work.run;
  slot_state& state = *work.state;
  std::vector<token_report> before;
  std::vector<token_report> tokens;
  bool finite = state.finite; // an earlier step's failure may be known only now
  for (const sampled_token& s : prompt) {
    finite = finite && s.finite;
    before.push_back(report_of(s));
  }
  for (std::size_t i = 0; i < sampled.size() && finite; ++i) {
    const sampled_token& s = sampled[i];
    finite = s.finite;
    tokens.push_back(report_of(s));
    if (i < run.drafts.size() && s.id != run.drafts[i]) break;
  }
  if (run.sample) --state.under_way;
  state.drafting = false;
  state.finite = finite;
  if (!finite) {
    work.result->error = state.error = "the model's logits are not finite";
    return;
  }
  const auto accepted = static_cast<std::uint32_t>(tokens.empty() ? 0 : tokens.size() - 1);
  *state.next += accepted;
  for (const token_report& t : tokens) state.ids.push_back(t.id);
  work.result->prompt_tokens = std::move(before);
  work.result->tokens = std::move(tokens);
}

} // namespace troupe
